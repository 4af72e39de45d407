"""The contract's request as such: what every command's has, and what those have that assign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from trial_entry.contract.arguments import (
    ASSIGNMENT,
    PLACE,
    Assignment,
    arguments_of,
    repeated,
    required,
)
from trial_entry.errors import RequestError
from trial_entry.storage.urls import Remote


@dataclass(frozen=True)
class Request:
    """What every command has.

    Attributes:
        command: its name on the command line.
        about: what opens its help.
    """

    command: ClassVar[str]
    about: ClassVar[str]

    def argv(self) -> list[str]:
        """The arguments after `python -m trial_entry`; those that have their defaults are left out."""
        return [self.command, *arguments_of(self)]


@dataclass(frozen=True)
class AssigningRequest(Request):
    """What `train` and `build` have in common: a base config, and what to change in it.

    Attributes:
        pipeline_config_path: the base config.
        assignments: what is set in it, in the order of argv.
        fragments: folders with fragments of the user's own.
        checkpoint_for: what a swapped-in fragment starts from, by its name; `none` for nothing.
    """

    pipeline_config_path: Path | Remote = required(PLACE, "FILE", "the (base) pipeline.config; gs:// too")
    assignments: tuple[Assignment, ...] = repeated(
        ASSIGNMENT,
        "NAME=VALUE",
        "an alias ({aliases}augmentation.STEP) or a field path; once for each",
        flag="--set",
    )
    fragments: tuple[Path | Remote, ...] = repeated(
        PLACE, "DIR", "a folder with own feature_extractors/NAME.pbtxt and models/NAME.pbtxt; repeatable"
    )
    checkpoint_for: tuple[Assignment, ...] = repeated(
        ASSIGNMENT, "NAME=PREFIX", "what a swapped-in feature extractor or model starts from, or none; once for each"
    )

    def __post_init__(self) -> None:
        names = [each.name for each in self.checkpoint_for]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise RequestError(f"--checkpoint_for={twice}: stands twice; keep one")

    @property
    def checkpoints(self) -> dict[str, str]:
        """What swapped-in fragments start from, by their names."""
        return {each.name: each.value for each in self.checkpoint_for}
