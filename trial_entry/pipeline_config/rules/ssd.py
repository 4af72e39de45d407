"""What an SSD must have: anchors for each of its feature maps, a box predictor that fits them, a loss that learns.

The sources are the API's `builders/model_builder.py`, `matcher_builder.py`, `box_predictor_builder.py`,
`losses_builder.py`, `anchor_generators/multiple_grid_anchor_generator.py` and `meta_architectures/ssd_meta_arch.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.extractors import Extractor
from trial_entry.pipeline_config.field_paths import shortest
from trial_entry.pipeline_config.protos import BoxCoder, ConvolutionalPredictor, Ssd, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.anchors import anchor_findings, anchors_a_cell
from trial_entry.pipeline_config.rules.rule import refused, warned

_SSD = "model.ssd"
_CODES = {"faster_rcnn_box_coder": 4, "mean_stddev_box_coder": 4, "square_box_coder": 3}  # numbers a box is made of


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `model.ssd`, where the config's model is one."""
    if config.model.WhichOneof("model") != "ssd":
        return
    ssd = config.model.ssd
    extractor = Extractor("ssd", ssd.feature_extractor)
    yield from _matcher(ssd)
    yield from anchor_findings(f"{_SSD}.anchor_generator", ssd.anchor_generator, extractor)
    yield from _predictor(ssd)
    yield from _loss(ssd)
    if ssd.add_background_class and ssd.explicit_background_class:
        what = "cannot stand with add_background_class, which is on unless it is set to false"
        yield refused(f"{_SSD}.explicit_background_class", what, "one of the two")
    if not ssd.feature_extractor.pad_to_multiple:
        yield refused(f"{_SSD}.feature_extractor.pad_to_multiple", "is 0", "must be at least 1")


def _matcher(ssd: Ssd) -> Iterator[Finding]:
    path, matcher = f"{_SSD}.matcher.argmax_matcher", ssd.matcher.argmax_matcher
    if ssd.matcher.WhichOneof("matcher_oneof") != "argmax_matcher" or matcher.ignore_thresholds:
        return
    low, high = shortest(matcher.unmatched_threshold), shortest(matcher.matched_threshold)
    if matcher.unmatched_threshold > matcher.matched_threshold:
        said = "" if matcher.HasField("unmatched_threshold") else " (the default)"
        yield refused(f"{path}.unmatched_threshold", f"is {low}{said}, above matched_threshold {high}")
    elif low == high and not matcher.negatives_lower_than_unmatched:
        what = f"false needs an unmatched_threshold below matched_threshold, and both are {high}"
        yield refused(f"{path}.negatives_lower_than_unmatched", what)


def _code_size(path: str, predictor: ConvolutionalPredictor, coder: BoxCoder) -> Iterator[Finding]:
    kind = coder.WhichOneof("box_coder_oneof")
    wanted = _CODES.get(kind or "")
    if kind == "keypoint_box_coder":
        wanted = 4 + 2 * coder.keypoint_box_coder.num_keypoints
    if wanted and predictor.box_code_size != wanted:
        yield refused(f"{path}.box_code_size", f"is {predictor.box_code_size}", f"must be {wanted}, as {kind} has it")


def _predictor(ssd: Ssd) -> Iterator[Finding]:
    kind = ssd.box_predictor.WhichOneof("box_predictor_oneof")
    if kind is None:
        return
    path, predictor = f"{_SSD}.box_predictor.{kind}", getattr(ssd.box_predictor, kind)
    if getattr(predictor, "use_depthwise", False) and predictor.kernel_size == 1:
        yield refused(f"{path}.kernel_size", "is 1, and use_depthwise needs more", "3 is usual, or no use_depthwise")
    if kind == "convolutional_box_predictor" and predictor.min_depth > predictor.max_depth:
        yield refused(f"{path}.min_depth", f"is {predictor.min_depth}, above max_depth {predictor.max_depth}")
    if hasattr(predictor, "box_code_size"):
        yield from _code_size(path, predictor, ssd.box_coder)
    cells = anchors_a_cell(ssd.anchor_generator)
    if kind == "weight_shared_convolutional_box_predictor" and len(set(cells)) > 1:
        what = f"predicts as many boxes at each map, and the anchors of a cell are {', '.join(map(str, cells))}"
        anchors = f"{_SSD}.anchor_generator.ssd_anchor_generator"
        yield refused(path, what, f"{anchors}.reduce_boxes_in_lowest_layer: false, or convolutional_box_predictor")


def _loss(ssd: Ssd) -> Iterator[Finding]:
    path, loss = f"{_SSD}.loss", ssd.loss
    kind = loss.classification_loss.WhichOneof("classification_loss")
    if loss.HasField("hard_example_miner") and kind == "weighted_sigmoid_focal":
        yield refused(f"{path}.hard_example_miner", "cannot stand with weighted_sigmoid_focal", "one of the two")
    if loss.HasField("random_example_sampler") and not loss.random_example_sampler.positive_sample_fraction > 0:
        yield refused(f"{path}.random_example_sampler.positive_sample_fraction", "must be above 0")
    weights = {name: getattr(loss, name) for name in ("classification_weight", "localization_weight")}
    if not any(weights.values()):
        what = "is 0, and so is localization_weight: nothing is learned"
        yield warned(f"{path}.classification_weight", what, "1 is usual")
        return
    for name, what in (("classification_weight", "classes"), ("localization_weight", "places")):
        if not weights[name]:
            yield warned(f"{path}.{name}", f"is 0: the {what} of boxes are not learned", "1 is usual")
