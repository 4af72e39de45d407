"""Fields that are set and that nothing reads: of TensorFlow 1's programs, or of the stock evaluation's pictures.

The table was made by looking each field of the API's messages up in the code that a training and an evaluation here
run: `model_lib_v2`, `inputs`, the builders, the models, and this program. What misleads (somebody who freezes a
backbone, or asks for PASCAL's metrics, believes that it is so) is a warning; queues, replicas and pictures of which
nobody expects another result are a note. A field that has its default says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import noted, warned
from trial_entry.pipeline_config.set_fields import set_fields


@dataclass(frozen=True)
class _Unread:
    """Fields that are unread for one reason, which make one line.

    Attributes:
        fields: `Message.field`, by the names of the API's .proto files.
        what: why, and what happens instead.
        right: what to do instead, if anything.
        misleads: whether somebody may take it for a setting that holds.
        by_default: whether its default misleads as much as another value.
    """

    fields: tuple[str, ...]
    what: str
    right: str = ""
    misleads: bool = True
    by_default: bool = False


def _of(message: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{message}.{name}" for name in names)


_UNREAD = (
    _Unread(
        _of("TrainConfig", "freeze_variables", "update_trainable_variables"),
        "nothing in TensorFlow 2 reads it: every variable is trained",
        "only batch normalization can be frozen: freeze_batchnorm of an SSD, batch_norm_trainable of a Faster R-CNN",
    ),
    _Unread(
        _of("TrainConfig", "bias_grad_multiplier"),
        "nothing in TensorFlow 2 reads it: biases learn at the same rate as all else",
    ),
    _Unread(
        _of("TrainConfig", "load_all_detection_checkpoint_vars"),
        "nothing here reads it, and the stock programs refuse it in TensorFlow 2",
        "fine_tune_checkpoint_type says what of a checkpoint is restored",
    ),
    _Unread(
        _of(
            "TrainConfig",
            "sync_replicas",
            "replicas_to_aggregate",
            "startup_delay_steps",
            "batch_queue_capacity",
            "num_batch_queue_threads",
            "prefetch_queue_capacity",
            "keep_checkpoint_every_n_hours",
            "summarize_gradients",
            "run_fine_tune_checkpoint_dummy_computation",
        )
        + _of(
            "InputReader",
            "queue_capacity",
            "min_after_dequeue",
            "prefetch_size",
            "num_parallel_map_calls",
            "num_parallel_batches",
        )
        + ("Hyperparams.regularize_depthwise", "Ssd.inplace_batchnorm_update")
        + ("FasterRcnnFeatureExtractor.pad_to_multiple",)
        + tuple(
            f"{loss}.anchorwise_output"
            for loss in (
                "WeightedSigmoidClassificationLoss",
                "WeightedSoftmaxClassificationLoss",
                "WeightedSoftmaxClassificationAgainstLogitsLoss",
                "BootstrappedSigmoidClassificationLoss",
                "SigmoidFocalClassificationLoss",
                "WeightedL2LocalizationLoss",
                "WeightedSmoothL1LocalizationLoss",
            )
        ),
        "of TensorFlow 1's programs; nothing here reads it, and nothing is lost by that",
        misleads=False,
    ),
    _Unread(
        ("TrainEvalPipelineConfig.graph_rewriter",),
        "quantized training is TensorFlow 1's: this is trained in 32 bits",
        "boxtune export makes a tflite_int8 of what was trained",
    ),
    _Unread(
        _of("EvalConfig", "max_evals", "num_examples", "eval_interval_secs"),
        "nothing in TensorFlow 2 reads it: every evaluation takes all records",
        "--eval_every_n says how often; eval_input_reader.sample_1_of_n_examples takes fewer",
    ),
    _Unread(
        _of("EvalConfig", "ignore_groundtruth"),
        "nothing in TensorFlow 2 reads it: the boxes of the records are what is measured by",
    ),
    _Unread(
        _of("EvalConfig", "export_path"),
        "no detections are written there",
        "boxtune predict, or best/ of the trial, has them",
    ),
    _Unread(
        _of("EvalConfig", "min_score_threshold"),
        "of the stock evaluation's pictures: mAP counts boxes of every score",
        "the trial's --score_threshold is for precision and recall",
        by_default=True,
    ),
    _Unread(
        _of("EvalConfig", "recall_lower_bound", "recall_upper_bound"),
        "of PASCAL's metrics: mAP here is over every recall, as COCO's",
    ),
    _Unread(
        _of(
            "EvalConfig",
            "visualization_export_dir",
            "num_visualizations",
            "max_num_boxes_to_visualize",
            "skip_scores",
            "skip_labels",
            "visualize_groundtruth_boxes",
            "groundtruth_box_visualization_color",
            "keep_image_id_for_visualization_export",
            "keypoint_edge",
            "save_graph",
            "eval_master",
            "include_metrics_per_category",
            "all_metrics_per_category",
        ),
        "no pictures are drawn in an evaluation, and each class is measured anyway (mAP_class_LABEL)",
        misleads=False,
    ),
    _Unread(
        _of(
            "EvalConfig",
            "eval_instance_masks",
            "super_categories",
            "parameterized_metric",
            "skip_predictions_for_unlabeled_class",
            "use_dummy_loss_in_eval",
        ),
        "nothing here reads it: boxes of single classes are measured, as COCO's",
    ),
    _Unread(
        ("BatchNorm.train",),
        "nothing in TensorFlow 2 reads it: batch normalization is trained",
        "freeze_batchnorm of an SSD, or batch_norm_trainable: false of a Faster R-CNN's extractor, freezes it",
    ),
    _Unread(
        ("Hyperparams.group_norm",),
        "nothing in TensorFlow 2 reads it: there is no normalization",
        "batch_norm and sync_batch_norm are read",
    ),
    _Unread(
        ("Ssd.mask_head_config", "MaskRCNNBoxPredictor.predict_keypoints"),
        "nothing in TensorFlow 2 reads it: only boxes are predicted",
    ),
    _Unread(
        ("ConvolutionalBoxPredictor.apply_sigmoid_to_scores",),
        "nothing in TensorFlow 2 reads it",
        "post_processing.score_converter: SIGMOID is what is read",
    ),
    _Unread(
        ("InputReader.use_keypoint_label_map",),
        "nothing in the API reads it",
    ),
)
_GROUPS = {field: number for number, each in enumerate(_UNREAD) for field in each.fields}


def unread_fields() -> frozenset[str]:
    """Every field of the table, as `Message.field`."""
    return frozenset(_GROUPS)


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """One line for each reason, with the paths of the fields that are unread for it."""
    found: dict[int, dict[str, list[str]]] = {}
    for group, path in _unread(config):
        found.setdefault(group, {}).setdefault(path.rpartition(".")[2], []).append(path)
    for group, fields in sorted(found.items()):
        each = _UNREAD[group]
        say = warned if each.misleads else noted
        yield say(", ".join(map(_places, fields.values())), each.what, each.right)


def _places(paths: list[str]) -> str:
    """Where one field stands: the first place, and how many more there are."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} (and {len(paths) - 1} more of this name)"


def _unread(config: TrainEvalPipelineConfig) -> Iterator[tuple[int, str]]:
    """The group and path of every unread field that is set to something else than its default."""
    for each in set_fields(config, closed=_GROUPS):
        group = _GROUPS.get(each.name)
        if group is not None and (_UNREAD[group].by_default or _is_more_than_default(each.descriptor, each.value)):
            yield group, each.path


def _is_more_than_default(descriptor: FieldDescriptor, value: object) -> bool:
    if descriptor.is_repeated or descriptor.message_type is not None:
        return True
    return bool(value != descriptor.default_value)
