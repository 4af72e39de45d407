"""From a base config and assignments to the config that a trial runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases import field_of, find_alias
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.aliases.training import FINE_TUNE_CHECKPOINT
from trial_entry.pipeline_config.checks import check_config
from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.pipeline_config.inputs import resolve_paths, without_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import config_text, read_config

# Whatever argv says: blocks first, since they bring the fields that others set; epochs last, since it needs the batch
# size that the others leave.
_FIRST = ("model", "feature_extractor", "optimizer")
_LAST = "epochs"
_CHECKPOINT = ("fine_tune_checkpoint", FINE_TUNE_CHECKPOINT)


@dataclass(frozen=True)
class Assignment:
    """`NAME=VALUE`: an alias or field path, and what to set it to."""

    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Assignment:
        """Raises AssignmentError where `text` has no name or no `=`."""
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise AssignmentError(f'--set "{text}": write a name and its value, joined by an equals sign')
        return cls(name.strip(), value.strip())


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


def render(path: Path, assignments: Sequence[Assignment], surroundings: Surroundings) -> RenderedConfig:
    """The config that a trial runs: the base config in `path` with `assignments`, complete and checked.

    Args:
        path: the base config; its relative paths are taken from its own folder.
        assignments: at most one a field.

    Raises:
        ConfigError: the base config or a file that it names.
        AssignmentError: an assignment that names nothing, does not fit, or stands twice.
    """
    config = read_config(path)
    folder = path.resolve().parent
    assign(config, assignments, surroundings, before_epochs=lambda: resolve_paths(config, folder))
    check_config(config, str(path))
    return RenderedConfig(config, config_text(config), config_digest(config))


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


def _rank(assignment: Assignment) -> int:
    if assignment.name in _FIRST:
        return _FIRST.index(assignment.name)
    return len(_FIRST) + (find_alias(assignment.name) is None)


def _assign(
    config: TrainEvalPipelineConfig, assignment: Assignment, surroundings: Surroundings, assigned: dict[str, str]
) -> None:
    """One assignment; `assigned` has the name by every field that was assigned before."""
    try:
        field = field_of(config, assignment.name)
        if field in assigned:
            raise AssignmentError(f"{assignment.name}: {field} is assigned twice, by {assigned[field]} too; keep one")
        assigned[field] = assignment.name
        alias = find_alias(assignment.name)
        if alias is None:
            find_field(config, assignment.name).set(assignment.value)
        else:
            alias.assign(config, assignment.value, surroundings)
    except AssignmentError as wrong:
        wrong.name = assignment.name
        raise


def config_digest(config: TrainEvalPipelineConfig) -> str:
    """SHA-256 (hexadecimal) of `config` without its input paths."""
    return hashlib.sha256(without_paths(config).SerializeToString(deterministic=True)).hexdigest()
