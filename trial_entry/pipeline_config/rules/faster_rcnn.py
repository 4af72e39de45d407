"""What a Faster R-CNN must have: stages that fit one another.

The sources are the API's `builders/model_builder.py` and `meta_architectures/faster_rcnn_meta_arch.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.extractors import Extractor
from trial_entry.pipeline_config.protos import FasterRcnn, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.anchors import anchor_findings, anchors_a_cell
from trial_entry.pipeline_config.rules.rule import refused, warned

_PATH = "model.faster_rcnn"
_CROP = ("initial_crop_size", "maxpool_kernel_size", "maxpool_stride")
_WEIGHTS = (
    ("first_stage_localization_loss_weight", "the places of proposals"),
    ("first_stage_objectness_loss_weight", "whether there is an object"),
    ("second_stage_localization_loss_weight", "the places of boxes"),
    ("second_stage_classification_loss_weight", "the classes of boxes"),
)


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `model.faster_rcnn`, where the config's model is one."""
    if config.model.WhichOneof("model") != "faster_rcnn":
        return
    model = config.model.faster_rcnn
    if model.number_of_stages not in (1, 2, 3):
        yield refused(f"{_PATH}.number_of_stages", f"is {model.number_of_stages}", "must be 1, 2 or 3")
    if model.inplace_batchnorm_update:
        yield refused(f"{_PATH}.inplace_batchnorm_update", "is not built for Faster R-CNN", "leave it out")
    batch, most = model.second_stage_batch_size, model.first_stage_max_proposals
    if batch > most:
        said = "" if model.HasField("second_stage_batch_size") else " (the default)"
        what = f"is {batch}{said}, above first_stage_max_proposals {most}"
        yield refused(f"{_PATH}.second_stage_batch_size", what, f"must be at most {most}")
    yield from _first_stage(model)
    yield from _second_stage(model)
    for name, learned in _WEIGHTS:
        if not getattr(model, name):
            yield warned(
                f"{_PATH}.{name}",
                f"is 0: {learned} are not learned" if learned.startswith("the") else f"is 0: {learned} is not learned",
            )


def _first_stage(model: FasterRcnn) -> Iterator[Finding]:
    generators = model.first_stage_anchor_generator
    path = f"{_PATH}.first_stage_anchor_generator"
    extractor = Extractor("faster_rcnn", model.feature_extractor)
    yield from anchor_findings(path, generators, extractor)
    cells = anchors_a_cell(generators)
    if len(set(cells)) > 1:
        yield refused(path, f"the anchors of a cell are {', '.join(map(str, cells))}", "must be as many on each map")
    for name in ("first_stage_box_predictor_kernel_size", "first_stage_box_predictor_depth", "first_stage_atrous_rate"):
        if getattr(model, name) < 1:
            yield refused(f"{_PATH}.{name}", f"is {getattr(model, name)}", "must be at least 1")


def _second_stage(model: FasterRcnn) -> Iterator[Finding]:
    kind = model.second_stage_box_predictor.WhichOneof("box_predictor_oneof")
    if model.number_of_stages == 1 or kind == "rfcn_box_predictor":
        return
    for name in _CROP:
        if getattr(model, name) < 1:
            said = "not set" if not model.HasField(name) else f"is {getattr(model, name)}"
            yield refused(f"{_PATH}.{name}", said, "must be at least 1")
