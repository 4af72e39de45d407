"""The subcommands of `boxtune`, by name; a subcommand's module is imported when it is called.

`boxtune --help` and shell completion need their names alone, and are as quick as that.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Command, Context  # what TyperGroup's methods take; typer has no public name for them

# In the order in which they are met: `NAME: what it does`; boxtune/cli/NAME.py has a function NAME.
SUBCOMMANDS: Mapping[str, str] = {
    "demo": "Make a small data set.",
    "parameters": "List what of a pipeline.config can be searched.",
    "check": "Find mistakes in an Experiment before training.",
    "speed": "Measure what trains fastest on this machine.",
    "run": "Search on this machine.",
    "show": "Show a run, also while it goes on.",
    "report": "Write a run as one HTML page.",
    "best": "Write the best trial's pipeline.config.",
    "repair": "Keep what is whole of a damaged journal.",
    "submit": "Hand an Experiment to Katib on a cluster.",
    "watch": "Follow an Experiment on a cluster.",
    "cancel": "End an Experiment on a cluster.",
}


class Subcommands(TyperGroup):
    """The group of SUBCOMMANDS."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Their names."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """What stands for a subcommand until it is called: its name and its line of help."""
        if cmd_name not in SUBCOMMANDS:
            return None
        return TyperCommand(cmd_name, callback=None, short_help=SUBCOMMANDS[cmd_name])

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The subcommand itself."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, _loaded(name) if found is not None and name is not None else None, rest


def _loaded(name: str) -> Command:
    function = getattr(importlib.import_module(f"boxtune.cli.{name}"), name)
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    single.command(name)(function)
    return typer.main.get_command(single)
