"""From a base config and assignments to the config that a trial runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases import ALIASES, CountExamples, field_of, is_alias
from trial_entry.pipeline_config.checks import check_config
from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.pipeline_config.inputs import resolve_paths, without_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import config_text, read_config

_LAST = "epochs"  # it needs the batch size that the others leave


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


def render(path: Path, assignments: Sequence[Assignment], count_examples: CountExamples) -> RenderedConfig:
    """Apply `assignments` to the config in `path`, in the fixed order: aliases, field paths, epochs.

    Args:
        path: the base config; its relative paths are taken from its own folder.
        assignments: at most one a field.
        count_examples: the number of training examples of a config, asked only where `epochs` is assigned.

    Raises:
        ConfigError: the base config or a file that it names.
        AssignmentError: an assignment that names nothing, does not fit, or stands twice.
    """
    config = read_config(path)
    _refuse_twice(config, assignments)
    ordered = sorted((a for a in assignments if a.name != _LAST), key=lambda a: not is_alias(a.name))
    for assignment in ordered:
        if is_alias(assignment.name):
            ALIASES[assignment.name].assign(config, assignment.value, count_examples)
        else:
            find_field(config, assignment.name).set(assignment.value)
    resolve_paths(config, path.resolve().parent)
    for assignment in assignments:
        if assignment.name == _LAST:
            ALIASES[_LAST].assign(config, assignment.value, count_examples)
    check_config(config, str(path))
    return RenderedConfig(config, config_text(config), config_digest(config))


def config_digest(config: TrainEvalPipelineConfig) -> str:
    """SHA-256 (hexadecimal) of `config` without its input paths."""
    return hashlib.sha256(without_paths(config).SerializeToString(deterministic=True)).hexdigest()


def _refuse_twice(config: TrainEvalPipelineConfig, assignments: Sequence[Assignment]) -> None:
    seen: dict[str, str] = {}
    for assignment in assignments:
        field = field_of(config, assignment.name)
        if field in seen:
            raise AssignmentError(f"{assignment.name}: {field} is assigned twice, by {seen[field]} too; keep one")
        seen[field] = assignment.name
