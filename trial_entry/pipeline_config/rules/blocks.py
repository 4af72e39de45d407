"""Which blocks a model must have, and of what kinds: what the API's builders cannot do without.

The sources are the API's `builders/model_builder.py` and the builders that it calls, one a block: each raises where its
block is left out, and where it is of a kind that TensorFlow 2 has no code for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused

_RESIZERS = ("fixed_shape_resizer", "keep_aspect_ratio_resizer", "identity_resizer", "conditional_shape_resizer")
_BOX_CODERS = ("faster_rcnn_box_coder", "mean_stddev_box_coder", "square_box_coder", "keypoint_box_coder")
_SIMILARITIES = ("iou_similarity", "ioa_similarity", "neg_sq_dist_similarity", "thresholded_iou_similarity")
_LOCALIZATION = ("weighted_smooth_l1", "weighted_l2", "weighted_iou", "weighted_giou", "l1_localization_loss")
_CLASSIFICATION = (
    "weighted_sigmoid_focal",
    "weighted_sigmoid",
    "weighted_softmax",
    "weighted_logits_softmax",
    "bootstrapped_sigmoid",
    "penalty_reduced_logistic_focal_loss",
    "weighted_dice_classification_loss",
)
_HEATMAP = tuple(sorted(_CLASSIFICATION, key="penalty_reduced_logistic_focal_loss".__ne__))
_Kinds = Mapping[str, tuple[str, ...]]
# By the block's path in the model: the kinds of it that can be built and trained, the usual one first.
_BLOCKS: Mapping[str, _Kinds] = {
    "ssd": {
        "image_resizer": _RESIZERS,
        "box_coder": _BOX_CODERS,
        "matcher": ("argmax_matcher",),
        "similarity_calculator": _SIMILARITIES,
        "box_predictor": ("convolutional_box_predictor", "weight_shared_convolutional_box_predictor"),
        "anchor_generator": ("ssd_anchor_generator", "multiscale_anchor_generator", "flexible_grid_anchor_generator"),
        "loss.localization_loss": _LOCALIZATION,
        "loss.classification_loss": _CLASSIFICATION,
    },
    "faster_rcnn": {
        "image_resizer": _RESIZERS,
        "first_stage_anchor_generator": ("grid_anchor_generator", "multiscale_anchor_generator"),
        "second_stage_box_predictor": ("mask_rcnn_box_predictor", "rfcn_box_predictor"),
    },
    "center_net": {
        "image_resizer": _RESIZERS,
        "object_detection_task.localization_loss": _LOCALIZATION,
        "object_center_params.classification_loss": _HEATMAP,
        "mask_estimation_task.classification_loss": _HEATMAP,
        "densepose_estimation_task.loss.classification_loss": _HEATMAP,
        "densepose_estimation_task.loss.localization_loss": _LOCALIZATION,
        "track_estimation_task.classification_loss": _HEATMAP,
        "temporal_offset_task.localization_loss": _LOCALIZATION,
        "deepmac_mask_estimation.classification_loss": _HEATMAP,
    },
}
_FURTHER = (  # tasks that are built where they are set
    "mask_estimation_task",
    "densepose_estimation_task",
    "track_estimation_task",
    "temporal_offset_task",
    "deepmac_mask_estimation",
)


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of the model: each block that is missing, or that TensorFlow 2 does not build."""
    used = config.model.WhichOneof("model")
    for place, kinds in _BLOCKS.get(used or "", {}).items():
        message = getattr(config.model, used or "")
        task = place.partition(".")[0]
        if task in _FURTHER and not message.HasField(task):
            continue
        for name in place.split("."):
            message = getattr(message, name)
        kind = message.WhichOneof(message.DESCRIPTOR.oneofs[0].name)
        if kind in kinds:
            continue
        known = ", ".join(kinds)
        right = f"it must have one of {known}" if len(kinds) > 1 else f"it must have {known}"
        what = f"{kind} is not built by TensorFlow 2 in a {used} model" if kind else "not set"
        yield refused(f"model.{used}.{place}", what, right)
