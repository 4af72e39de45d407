"""The config's room, exports: which formats a config's model can have, and why not the others, before any work is done.

The source for TensorFlow Lite is the API's `export_tflite_graph_lib_tf2`, and what its converter was seen to refuse.
"""

from __future__ import annotations

from typing import Any

from trial_entry.contract.exports import TFLITE_FORMATS, ResizerRecord
from trial_entry.pipeline_config.protos import CenterNet, ModelMessage, Ssd, TrainEvalPipelineConfig

_FIXED = "fixed_shape_resizer"
_EXTRA_OUTPUTS = (
    "keypoint_estimation_task",
    "mask_estimation_task",
    "densepose_estimation_task",
    "track_estimation_task",
    "temporal_offset_task",
)


def why_not(config: TrainEvalPipelineConfig, format: str) -> str:
    """Why the config's model cannot be exported so, in one line that names the field; empty where it can."""
    return _why_no_tflite(config) if format in TFLITE_FORMATS else ""


def resizer_of(config: TrainEvalPipelineConfig) -> ResizerRecord:
    """The config's resizer, with the edges that it resizes to."""
    _, model = _model(config)
    kind = str(model.image_resizer.WhichOneof("image_resizer_oneof") or "")
    resizer: Any = getattr(model.image_resizer, kind) if kind else None
    if kind == "keep_aspect_ratio_resizer":
        edges = (int(resizer.min_dimension), int(resizer.max_dimension))
        return ResizerRecord(kind, *edges, pads=bool(resizer.pad_to_max_dimension))
    if hasattr(resizer, "height"):
        return ResizerRecord(kind, int(resizer.height), int(resizer.width))
    return ResizerRecord(kind, 0, 0)


def max_detections(config: TrainEvalPipelineConfig) -> int:
    """How many detections an image has at most."""
    architecture, model = _model(config)
    if architecture == "center_net":
        return int(model.object_center_params.max_box_predictions)
    post = model.second_stage_post_processing if architecture == "faster_rcnn" else model.post_processing
    return int(post.batch_non_max_suppression.max_total_detections)


def extractor_type(config: TrainEvalPipelineConfig) -> str:
    """The type of the config's feature extractor."""
    return str(_model(config)[1].feature_extractor.type)


def _why_no_tflite(config: TrainEvalPipelineConfig) -> str:
    architecture, model = _model(config)
    if architecture not in ("ssd", "center_net"):
        return (
            f"model.{architecture}: TensorFlow Lite has no operation for its second stage; ssd and center_net convert"
        )
    kind = model.image_resizer.WhichOneof("image_resizer_oneof")
    path = f"model.{architecture}.image_resizer"
    if kind != _FIXED:
        return f"{path}: {kind}: a TensorFlow Lite model has an input of one size; {_FIXED} gives it one"
    if model.image_resizer.fixed_shape_resizer.convert_to_grayscale:
        return f"{path}.{_FIXED}.convert_to_grayscale: is not built for TensorFlow Lite; leave it out"
    return _why_no_ssd(model) if architecture == "ssd" else _why_no_center_net(model)


def _why_no_ssd(ssd: Ssd) -> str:
    coder = ssd.box_coder.WhichOneof("box_coder_oneof")
    if coder != "faster_rcnn_box_coder":
        return f"model.ssd.box_coder: {coder}: TensorFlow Lite's suppression decodes faster_rcnn_box_coder alone"
    if ssd.post_processing.batch_non_max_suppression.soft_nms_sigma > 0:
        path = "model.ssd.post_processing.batch_non_max_suppression.soft_nms_sigma"
        return f"{path}: TensorFlow Lite has no soft suppression; set it to 0"
    return ""


def _why_no_center_net(center_net: CenterNet) -> str:
    for name in _EXTRA_OUTPUTS:
        task = getattr(center_net, name)
        if len(task) if hasattr(task, "__len__") else center_net.HasField(name):
            return f"model.center_net.{name}: only boxes are exported to TensorFlow Lite; leave it out"
    return ""


def _model(config: TrainEvalPipelineConfig) -> tuple[str, ModelMessage]:
    """The architecture's name, and its message."""
    architecture = str(config.model.WhichOneof("model"))
    return architecture, getattr(config.model, architecture)
