"""What a model learns beside boxes, and what its readers must load for it; and what of that is measured."""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.inputs import TRAIN_READER, readers
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused, warned

# A CenterNet's tasks with the reader's field that loads what each is trained on.
_CENTER_NET_TASKS = {
    "keypoint_estimation_task": "num_keypoints",
    "mask_estimation_task": "load_instance_masks",
    "deepmac_mask_estimation": "load_instance_masks",
    "densepose_estimation_task": "load_dense_pose",
    "track_estimation_task": "load_track_id",
}
_TEMPORAL = "temporal_offset_task"
# Metrics of what is no box, which nothing here measures; the boxes' are printed whatever metrics_set has.
NOT_OF_BOXES = {
    "coco_mask_metrics": "masks",
    "lvis_mask_metrics": "masks",
    "coco_panoptic_metrics": "panoptic segments",
    "coco_keypoint_metrics": "keypoints",
}
_BOXES_ALONE = "boxes alone are measured: mAP and the others that boxtune prints; coco_detection_metrics says so"


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of the model, the readers and the metrics together."""
    used = config.model.WhichOneof("model")
    if used == "center_net":
        yield from _center_net(config)
    elif used == "faster_rcnn":
        yield from _faster_rcnn(config)
    for where, reader in readers(config):
        yield from _reader(config, where, reader)
    train = config.train_config
    if train.use_multiclass_scores and not config.train_input_reader.load_multiclass_scores:
        what = f"needs {TRAIN_READER}.load_multiclass_scores, which is not set"
        if config.HasField(TRAIN_READER):
            yield refused("train_config.use_multiclass_scores", what, "set it, or leave both out")
    yield from _metrics(config)


def _center_net(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    model = config.model.center_net
    for task, field in _CENTER_NET_TASKS.items():
        value = getattr(model, task)
        if len(value) if task == "keypoint_estimation_task" else model.HasField(task):
            yield from _needed(config, f"model.center_net.{task}", field)
    if model.HasField(_TEMPORAL):
        what = "needs offsets between frames, which no reader loads from records"
        yield refused(f"model.center_net.{_TEMPORAL}", what, "leave it out")
    if len(model.keypoint_estimation_task) and not model.keypoint_label_map_path:
        what = "not set, and keypoint_estimation_task takes its keypoints from there"
        yield refused("model.center_net.keypoint_label_map_path", what, "name a label map with keypoints")


def _faster_rcnn(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    model = config.model.faster_rcnn
    if model.second_stage_box_predictor.mask_rcnn_box_predictor.predict_instance_masks:
        path = "model.faster_rcnn.second_stage_box_predictor.mask_rcnn_box_predictor.predict_instance_masks"
        yield from _needed(config, path, "load_instance_masks")
    if model.HasField("context_config"):
        yield from _needed(config, "model.faster_rcnn.context_config", "load_context_features")


def _needed(config: TrainEvalPipelineConfig, task: str, field: str) -> Iterator[Finding]:
    """Readers that do not load what a task is trained on, and its loss is measured on."""
    for where, reader in readers(config):
        if not getattr(reader, field):
            yield refused(f"{where}.{field}", f"not set, and {task} needs it", "set it, or leave the task out")


def _reader(config: TrainEvalPipelineConfig, where: str, reader: InputReader) -> Iterator[Finding]:
    if reader.num_additional_channels:
        what = f"is {reader.num_additional_channels}: the feature extractors of TensorFlow 2 take the 3 of RGB alone"
        yield refused(f"{where}.num_additional_channels", what, "leave it out")
    if reader.load_context_features and not config.model.faster_rcnn.HasField("context_config"):
        what = "needs a model with model.faster_rcnn.context_config, which alone reads it"
        yield refused(f"{where}.load_context_features", what, "leave it out")


def _metrics(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    for name in config.eval_config.metrics_set:
        if name in NOT_OF_BOXES:
            what = f"{name}: {NOT_OF_BOXES[name]} are not measured here"
            yield warned("eval_config.metrics_set", what, _BOXES_ALONE)
    for number, metric in enumerate(config.eval_config.parameterized_metric):
        name = metric.WhichOneof("parameterized_metric") or "empty"
        field = f"eval_config.parameterized_metric.{number}"
        yield warned(field, f"{name}: keypoints are not measured here", _BOXES_ALONE)
