"""Assignments applied to a config, in their fixed order; `BaseConfig` is what others use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from trial_entry.contract.arguments import Assignment
from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases import field_of, find_alias
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.aliases.training import FINE_TUNE_CHECKPOINT
from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.pipeline_config.inputs import without_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

# Whatever argv says: blocks first, since they bring the fields that others set; epochs last, since it needs the batch
# size that the others leave.
BLOCKS = ("model", "feature_extractor", "optimizer")
_LAST = "epochs"
_CHECKPOINT = ("fine_tune_checkpoint", FINE_TUNE_CHECKPOINT)


@dataclass(frozen=True)
class RenderedConfig:
    """The config that a trial runs, with absolute or gs:// paths.

    Attributes:
        config: the message.
        text: the same in protobuf text format; what MODEL_DIR/pipeline.config holds.
        digest: SHA-256 of the config without its input paths, so that equal assignments are equal anywhere.
    """

    config: TrainEvalPipelineConfig
    text: str
    digest: str


def assign(
    config: TrainEvalPipelineConfig,
    assignments: Sequence[Assignment],
    surroundings: Surroundings,
    before_epochs: Callable[[], None] = lambda: None,
) -> None:
    """Apply `assignments` to `config` in the fixed order: model, feature_extractor, optimizer, other aliases, field
    paths, epochs.

    Args:
        before_epochs: is called before training examples are counted for it.

    Raises:
        AssignmentError: an assignment that names nothing, does not fit, or stands twice.
    """
    settled = any(each.name in _CHECKPOINT for each in assignments)
    surroundings = replace(surroundings, checkpoint_assigned=settled)
    assigned: dict[str, str] = {}
    for assignment in sorted((each for each in assignments if each.name != _LAST), key=_rank):
        _assign(config, assignment, surroundings, assigned)
    before_epochs()
    for assignment in assignments:
        if assignment.name == _LAST:
            _assign(config, assignment, surroundings, assigned)


@contextmanager
def _of(assignment: Assignment) -> Iterator[None]:
    """Errors within are this assignment's."""
    try:
        yield
    except AssignmentError as wrong:
        wrong.name = assignment.name
        raise


def _rank(assignment: Assignment) -> int:
    if assignment.name in BLOCKS:
        return BLOCKS.index(assignment.name)
    with _of(assignment):
        return len(BLOCKS) + (find_alias(assignment.name) is None)


def _assign(
    config: TrainEvalPipelineConfig, assignment: Assignment, surroundings: Surroundings, assigned: dict[str, str]
) -> None:
    """One assignment; `assigned` has the name by every field that was assigned before."""
    with _of(assignment):
        field = field_of(config, assignment.name)
        if field in assigned:
            raise AssignmentError(f"{assignment.name}: {field} is assigned twice, by {assigned[field]} too; keep one")
        assigned[field] = assignment.name
        alias = find_alias(assignment.name)
        if alias is None:
            find_field(config, assignment.name).set(assignment.value)
        else:
            alias.assign(config, assignment.value, surroundings)


def config_digest(config: TrainEvalPipelineConfig) -> str:
    """SHA-256 (hexadecimal) of `config` without its input paths."""
    return hashlib.sha256(without_paths(config).SerializeToString(deterministic=True)).hexdigest()
