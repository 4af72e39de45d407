"""What a CenterNet must have: a task with something to learn.

The source is the API's `builders/model_builder.py` and `meta_architectures/center_net_meta_arch.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused, warned

_PATH = "model.center_net"
_HEADS = (
    ("object_center_params", "center_head_params"),
    ("object_detection_task", "scale_head_params"),
    ("object_detection_task", "offset_head_params"),
)


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `model.center_net`, where the config's model is one."""
    if config.model.WhichOneof("model") != "center_net":
        return
    model = config.model.center_net
    for task, head in _HEADS:
        params = getattr(getattr(model, task), head)
        filters, kernels = len(params.num_filters), len(params.kernel_sizes)
        if filters != kernels:
            what = f"has {filters} num_filters and {kernels} kernel_sizes"
            yield refused(f"{_PATH}.{task}.{head}", what, "as many of both")
    for name in ("max_box_predictions", "peak_max_pool_kernel_size"):
        if getattr(model.object_center_params, name) < 1:
            yield refused(f"{_PATH}.object_center_params.{name}", "is 0", "must be at least 1")
    if not model.object_center_params.object_center_loss_weight:
        what = "is 0: where objects are, and of which class, is not learned"
        yield warned(f"{_PATH}.object_center_params.object_center_loss_weight", what, "1 is usual")
    if model.HasField("object_detection_task") and not model.object_detection_task.task_loss_weight:
        what = "is 0: the sizes of boxes are not learned"
        yield warned(f"{_PATH}.object_detection_task.task_loss_weight", what, "1 is usual")
