"""What `eval_config` asks for and an evaluation here does otherwise: metrics, the size of images.

The sources are the API's `eval_util.EVAL_METRICS_CLASS_DICT` and `inputs.eval_input`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import warned
from trial_entry.pipeline_config.rules.tasks import NOT_OF_BOXES
from trial_entry.pipeline_config.text import nearest

_MEASURED = "coco_detection_metrics"
_KNOWN = (
    _MEASURED,
    "coco_keypoint_metrics",
    "coco_mask_metrics",
    "coco_panoptic_metrics",
    "lvis_mask_metrics",
    "oid_challenge_detection_metrics",
    "oid_challenge_segmentation_metrics",
    "oid_V2_detection_metrics",
    "pascal_voc_detection_metrics",
    "pascal_voc_instance_segmentation_metrics",
    "precision_at_recall_detection_metrics",
    "weighted_pascal_voc_detection_metrics",
    "weighted_pascal_voc_instance_segmentation_metrics",
)


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `eval_config`."""
    path, evaluation = "eval_config", config.eval_config
    for name in dict.fromkeys(evaluation.metrics_set):
        if name not in _KNOWN:
            what = f'the API has no "{name}"; {nearest(name, list(_KNOWN))}'
            yield warned(f"{path}.metrics_set", what, f"{_MEASURED} are measured whatever it says")
        elif name not in (_MEASURED, *NOT_OF_BOXES):
            what = f"{name} are not measured here"
            yield warned(f"{path}.metrics_set", what, f"mAP and the others are those of {_MEASURED}")
    if evaluation.force_no_resize:
        what = "images are evaluated in their own size, though trained in that of the image_resizer"
        yield warned(f"{path}.force_no_resize", what, "leave it out")
