"""Aliases of the model: its input size, anchors, losses, regularization and what post-processing keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config import image_size
from trial_entry.pipeline_config.aliases.alias import Alias, Feasible, Surroundings, between, choices, numbers, plain
from trial_entry.pipeline_config.field_paths import Field, find_field, shortest
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.set_fields import set_fields

_SUPPRESSION = {
    "ssd": "model.ssd.post_processing.batch_non_max_suppression",
    "faster_rcnn": "model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression",
    "center_net": "model.center_net.post_processing.batch_non_max_suppression",
}
_LOCALIZATION_WEIGHT = {
    "ssd": "model.ssd.loss.localization_weight",
    "faster_rcnn": "model.faster_rcnn.second_stage_localization_loss_weight",
    "center_net": "model.center_net.object_detection_task.task_loss_weight",
}
_CLASSIFICATION_WEIGHT = {
    "ssd": "model.ssd.loss.classification_weight",
    "faster_rcnn": "model.faster_rcnn.second_stage_classification_loss_weight",
    "center_net": "model.center_net.object_center_params.object_center_loss_weight",
}
_CLASSIFICATION_LOSS = {
    "ssd": "model.ssd.loss.classification_loss",
    "faster_rcnn": "model.faster_rcnn.second_stage_classification_loss",
    "center_net": "model.center_net.object_center_params.classification_loss",
}
_ANCHORS = {
    "ssd": "model.ssd.anchor_generator",
    "faster_rcnn": "model.faster_rcnn.first_stage_anchor_generator",
}
_SCALES = {
    "ssd_anchor_generator": "scales",
    "multiscale_anchor_generator": "anchor_scale",
    "grid_anchor_generator": "scales",
}
_CENTER_NET_PREDICTIONS = "model.center_net.object_center_params.max_box_predictions"


def meta_architecture(config: TrainEvalPipelineConfig) -> str:
    """`ssd`, `faster_rcnn`, `center_net`, …, or empty where the config has no model."""
    return config.model.WhichOneof("model") or ""


def _place(name: str, config: TrainEvalPipelineConfig, places: Mapping[str, str]) -> str:
    """The path among `places` of this config's meta-architecture."""
    used = meta_architecture(config)
    if used not in places:
        raise AssignmentError(f"{name}: {used or 'a config without a model'} has none; {' and '.join(places)} have")
    return places[used]


def _message(config: TrainEvalPipelineConfig, path: str) -> Any:
    message: Any = config
    for name in path.split("."):
        message = getattr(message, name)
    return message


def _suppression(name: str, config: TrainEvalPipelineConfig) -> str:
    path = _place(name, config, _SUPPRESSION)
    if meta_architecture(config) == "center_net" and not config.model.center_net.HasField("post_processing"):
        raise AssignmentError(
            f"{name}: this center_net takes peaks instead of suppressing boxes (no model.center_net.post_processing); "
            "it has max_detections and model.center_net.object_center_params.peak_max_pool_kernel_size"
        )
    return path


def _detections_path(config: TrainEvalPipelineConfig) -> str:
    if meta_architecture(config) == "center_net":
        return _CENTER_NET_PREDICTIONS
    return f"{_suppression('max_detections', config)}.max_total_detections"


def _assign_detections(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    """Also the number a class, which otherwise would cut below what was asked for or mean nothing above it."""
    field = find_field(config, _detections_path(config))
    before = field.value()
    field.set(value)
    message, most = field.parent, int(field.value())
    if hasattr(message, "max_detections_per_class"):
        a_class = message.max_detections_per_class
        message.max_detections_per_class = most if a_class >= before else min(a_class, most)


def _focal(name: str, config: TrainEvalPipelineConfig) -> str:
    path = _place(name, config, _CLASSIFICATION_LOSS)
    loss = _message(config, path)
    used = loss.WhichOneof("classification_loss")
    if used != "weighted_sigmoid_focal":
        inner = getattr(loss, used).DESCRIPTOR.fields if used else ()
        has = ", ".join(f"{path}.{used}.{field.name}" for field in inner) or "no field of its own"
        raise AssignmentError(
            f"{name}: {path} is {used or 'not set'}, only weighted_sigmoid_focal has it; this loss has {has}"
        )
    return f"{path}.{used}.{name.removeprefix('focal_')}"


def _anchors(name: str, config: TrainEvalPipelineConfig) -> tuple[str, str]:
    """The path of the anchor generator that the config uses, and its kind."""
    path = _place(name, config, _ANCHORS)
    kind = _message(config, path).WhichOneof("anchor_generator_oneof")
    if kind not in _SCALES:
        raise AssignmentError(f"{name}: {path} is {kind or 'not set'}; only {', '.join(_SCALES)} have it")
    return f"{path}.{kind}", kind


def _scales_path(config: TrainEvalPipelineConfig) -> str:
    path, kind = _anchors("anchor_scales", config)
    return f"{path}.{_SCALES[kind]}"


def _assign_scales(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    field = find_field(config, _scales_path(config))
    field.set(value)
    layers = getattr(field.parent, "num_layers", None)
    if layers is not None and len(field.value()) != layers:
        raise AssignmentError(f"anchor_scales: {value} has {len(field.value())} scales; {layers} layers need {layers}")


def _feasible_scales(config: TrainEvalPipelineConfig) -> Feasible | None:
    return numbers(2, 3, 4, 6) if _scales_path(config).endswith("anchor_scale") else None


def _regularizers(config: TrainEvalPipelineConfig) -> list[Field]:
    """The weight of every L2 regularizer of the model, the feature extractor's own first."""
    found = [
        Field(f"{each.path}.weight", each.value, each.value.DESCRIPTOR.fields_by_name["weight"])
        for each in set_fields(config.model, "model")
        if each.descriptor.name == "l2_regularizer"
    ]
    found.sort(key=lambda field: ".feature_extractor." not in field.path)
    return found


def _weight_decay(config: TrainEvalPipelineConfig) -> Field:
    """The regularizer that counts as the model's: the first that does anything."""
    found = _regularizers(config)
    if not found:
        raise AssignmentError("weight_decay: this model has no l2_regularizer")
    return next((field for field in found if field.value() > 0), found[0])


def _assign_weight_decay(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    """All of them, in the ratio that they had."""
    reference = _weight_decay(config)
    before = reference.value()
    reference.set(value)
    for field in _regularizers(config):
        if field.path != reference.path:
            share = field.value() / before if before else 1.0
            field.parent.weight = share * reference.value()


def _assign_image_size(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    image_size.assign(config, value)


MODEL = (
    Alias(
        "image_size",
        "pixels of the longer edge that the model sees, the other in proportion",
        image_size.size_path,
        _assign_image_size,
        image_size.current,
        lambda config: numbers(*image_size.possible(config)),
    ),
    plain(
        "nms_iou_threshold",
        "IoU above which the lower-scored of two boxes is dropped",
        lambda config: f"{_suppression('nms_iou_threshold', config)}.iou_threshold",
        lambda config: between(0.4, 0.7),
    ),
    plain(
        "nms_score_threshold",
        "score below which a box is no detection; mAP wants it low",
        lambda config: f"{_suppression('nms_score_threshold', config)}.score_threshold",
        lambda config: between(1e-8, 0.05, log=True),
    ),
    Alias(
        "max_detections",
        "detections kept an image",
        _detections_path,
        _assign_detections,
        lambda config: find_field(config, _detections_path(config)).text(),
        lambda config: numbers(50, 100, 200, 300),
    ),
    Alias(
        "weight_decay",
        "weight of the L2 regularizers; the model's several keep their ratio",
        lambda config: _weight_decay(config).path,
        _assign_weight_decay,
        lambda config: shortest(_weight_decay(config).value()),
        lambda config: between(1e-6, 1e-3, log=True),
    ),
    plain(
        "focal_gamma",
        "how far the focal loss looks past easy examples",
        lambda config: _focal("focal_gamma", config),
        lambda config: between(1.0, 3.0),
    ),
    plain(
        "focal_alpha",
        "the focal loss's weight of objects against background",
        lambda config: _focal("focal_alpha", config),
        lambda config: between(0.2, 0.8),
    ),
    plain(
        "localization_loss_weight",
        "of the boxes' place in the loss (of both CenterNet box heads)",
        lambda config: _place("localization_loss_weight", config, _LOCALIZATION_WEIGHT),
        lambda config: between(0.3, 3.0, log=True),
    ),
    plain(
        "classification_loss_weight",
        "of the classes in the loss (of CenterNet's centres)",
        lambda config: _place("classification_loss_weight", config, _CLASSIFICATION_WEIGHT),
        lambda config: between(0.3, 3.0, log=True),
    ),
    Alias(
        "anchor_scales",
        "size of the anchors: one a layer (SSD), a list (Faster R-CNN), one in strides (FPN)",
        _scales_path,
        _assign_scales,
        lambda config: find_field(config, _scales_path(config)).text() or None,
        _feasible_scales,
    ),
    plain(
        "aspect_ratios",
        "width to height of the anchors, a list",
        lambda config: f"{_anchors('aspect_ratios', config)[0]}.aspect_ratios",
        lambda config: choices("1.0,2.0,0.5", "1.0", "1.0,2.0,0.5,3.0,0.3333"),
    ),
)
