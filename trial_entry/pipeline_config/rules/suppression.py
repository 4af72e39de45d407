"""What post-processing must say to be built, and with what of it nothing is found.

The source is the API's `builders/post_processing_builder.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.field_paths import shortest
from trial_entry.pipeline_config.protos import BatchNonMaxSuppression, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import model_of, refused, warned

_PLACES = {
    "ssd": "post_processing",
    "faster_rcnn": "second_stage_post_processing",
    "center_net": "post_processing",
}
_HIGH = 0.3  # a detector that is learning gives few boxes such a score, and mAP counts those below too
_CALIBRATIONS = (
    "function_approximation",
    "class_id_function_approximations",
    "temperature_scaling_calibration",
)


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of the final suppression, where the model has one."""
    path, model = model_of(config)
    place = _PLACES.get(path.removeprefix("model."), "")
    if model is None or not place or (path == "model.center_net" and not model.HasField(place)):
        return
    post = getattr(model, place)
    where = f"{path}.{place}.batch_non_max_suppression"
    yield from _suppression(where, post.batch_non_max_suppression)
    if not post.logit_scale:
        yield refused(f"{path}.{place}.logit_scale", "is 0, and scores are divided by it")
    if post.HasField("calibration_config"):
        kind = post.calibration_config.WhichOneof("calibrator")
        if kind not in _CALIBRATIONS:
            what = f"{kind or 'nothing'} is no calibration that the API builds"
            yield refused(f"{path}.{place}.calibration_config", what, f"it has {', '.join(_CALIBRATIONS)}")


def _suppression(where: str, message: BatchNonMaxSuppression) -> Iterator[Finding]:
    a_class, total = message.max_detections_per_class, message.max_total_detections
    if a_class > total:
        said = "" if message.HasField("max_detections_per_class") else " (the default)"
        what = f"is {a_class}{said}, above max_total_detections {total}"
        yield refused(f"{where}.max_detections_per_class", what, f"must be at most {total}")
    if message.soft_nms_sigma < 0:
        yield refused(f"{where}.soft_nms_sigma", f"is {shortest(message.soft_nms_sigma)}", "must be at least 0")
    if message.use_combined_nms and message.use_class_agnostic_nms:
        what = "cannot stand with use_class_agnostic_nms"
        yield refused(f"{where}.use_combined_nms", what, "one of the two")
    if message.score_threshold > _HIGH:
        what = f"is {shortest(message.score_threshold)}: boxes with lower scores are dropped before they are measured"
        right = "mAP only loses by it; 1e-8, and the trial's --score_threshold for precision and recall"
        yield warned(f"{where}.score_threshold", what, right)
