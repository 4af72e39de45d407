"""Records' keypoints: a CenterNet's keypoint tasks against the label map that names their keypoints.

The source is `_build_center_net_model` and `keypoint_proto_to_params` of the API's `model_builder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trial_entry.finding import Finding
from trial_entry.pipeline_config.inputs import KEYPOINT_LABEL_MAP, readers
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.label_map import read_label_map_message

_TASK = "model.center_net.keypoint_estimation_task"


def keypoint_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """What is wrong with the keypoints of each task; the label map must lie on this machine.

    Raises:
        RequestError: the label map cannot be read.
    """
    model = config.model.center_net
    if not model.keypoint_estimation_task or not model.keypoint_label_map_path:
        return
    message = read_label_map_message(Path(model.keypoint_label_map_path))
    items = {item.name: item for item in message.item if item.keypoints}
    names = {item.name for item in message.item}
    classes: set[int] = set()
    taken: set[int] = set()
    for number, task in enumerate(model.keypoint_estimation_task):
        where, name = f"{_TASK}.{number}", task.keypoint_class_name
        item = items.get(name)
        if item is None:
            has = f"its item of {name} has none" if name in names else f"it has no class of this name {sorted(names)}"
            what = f'"{name}" has no keypoints in {model.keypoint_label_map_path}: {has}'
            right = f"write them there: item {{ id: 1 name: '{name}' keypoints {{ id: 0 label: 'wheel' }} }}"
            yield _refused(f"{where}.keypoint_class_name", what, right)
            continue
        labels = {keypoint.label: int(keypoint.id) for keypoint in item.keypoints}
        if item.id in classes:
            yield _refused(f"{where}.keypoint_class_name", f'"{name}" has another task already', "keep one")
        if double := taken.intersection(labels.values()):
            what = f"the keypoint ids {sorted(double)} of {name} are another class's too"
            yield _refused(KEYPOINT_LABEL_MAP, what, "number the keypoints of all classes through")
        classes.add(item.id)
        taken.update(labels.values())
        for label in sorted(set(task.keypoint_label_to_std) - set(labels)):
            what = f'"{label}" is no keypoint of {name}, which has {", ".join(labels)}'
            yield Finding("warning", what, "leave it out", feature=f"{where}.keypoint_label_to_std")
    for reader, fields in readers(config):
        if taken and max(taken) >= fields.num_keypoints > 0:
            what = f"is {fields.num_keypoints}, and the highest keypoint id is {max(taken)} (ids start at 0)"
            yield _refused(f"{reader}.num_keypoints", what, f"set {max(taken) + 1}")


def _refused(field: str, what: str, right: str) -> Finding:
    return Finding("error", what, right, feature=field)
