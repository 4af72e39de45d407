"""The subcommands of `boxtune`, by name; a subcommand's module is imported when it is called.

`boxtune --help` and shell completion need their names alone, and are as quick as that.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Command, Context  # what TyperGroup's methods take; typer has no public name for them

# In the order in which they are met: `NAME: what it does`; boxtune/cli/NAME.py has a function NAME.
SUBCOMMANDS: Mapping[str, str] = {
    "demo": "Make a small data set.",
    "data": "Make records of annotated images, check them, look at them.",
    "parameters": "List what of a pipeline.config can be searched.",
    "check": "Find mistakes in an Experiment before training.",
    "speed": "Measure what trains fastest on this machine.",
    "run": "Search on this machine.",
    "confirm": "Train the best and the base config again: is it better?",
    "show": "Show a run, also while it goes on.",
    "report": "Write a run as one HTML page.",
    "dashboard": "Look at a run in optuna-dashboard, in a browser.",
    "best": "Write the best trial's pipeline.config.",
    "train": "Train the best trial's config to its end: a model.",
    "evaluate": "Measure a model on the test split, once, with intervals.",
    "export": "Write a model as SavedModel, TensorFlow Lite and ONNX, compared with its checkpoint.",
    "predict": "Find objects in images with an exported model.",
    "publish": "Publish a model as a version in a folder or a bucket.",
    "replay": "Make a published model again and compare.",
    "repair": "Keep what is whole of a damaged journal.",
    "pipeline": "From data to a published model on Kubeflow Pipelines, or on this machine.",
    "submit": "Hand an Experiment to Katib on a cluster.",
    "watch": "Follow an Experiment on a cluster.",
    "cancel": "End an Experiment on a cluster.",
}
# Those of `boxtune data`: boxtune/cli/data_NAME.py has a function data_NAME.
DATA_SUBCOMMANDS: Mapping[str, str] = {
    "import": "Make records of annotated images: COCO, VOC, YOLO, CSV and others.",
    "check": "Find what ruins a training: boxes, classes, images, leaks between splits, small objects.",
    "show": "Show boxes on images as a page or a picture: odd ones first, each class, sizes.",
    "priors": "Suggest anchors, image size and number of detections.",
}

# Those of `boxtune pipeline`: boxtune/cli/pipeline_NAME.py has a function pipeline_NAME.
PIPELINE_SUBCOMMANDS: Mapping[str, str] = {
    "list": "Name the pipelines and their parameters.",
    "run": "Run a pipeline on this machine, each step a process or a container.",
    "submit": "Run a pipeline on Kubeflow Pipelines, and follow it.",
    "watch": "Follow a run on Kubeflow Pipelines.",
    "compile": "Write a pipeline as the YAML that Kubeflow Pipelines runs.",
}


class Subcommands(TyperGroup):
    """The group of SUBCOMMANDS."""

    subcommands: ClassVar[Mapping[str, str]] = SUBCOMMANDS
    prefix: ClassVar[str] = ""  # of their modules and functions

    def list_commands(self, ctx: Context) -> list[str]:
        """Their names."""
        return list(self.subcommands)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """What stands for a subcommand until it is called: its name and its line of help."""
        if cmd_name not in self.subcommands:
            return None
        return TyperCommand(cmd_name, callback=None, short_help=self.subcommands[cmd_name])

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The subcommand itself."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, self._loaded(name) if found is not None and name is not None else None, rest

    def _loaded(self, name: str) -> Command:
        module = importlib.import_module(f"boxtune.cli.{self.prefix}{name}")
        if isinstance(found := getattr(module, self.prefix + name), typer.Typer):
            return typer.main.get_command(found)
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        single.command(name)(found)
        return typer.main.get_command(single)


class DataSubcommands(Subcommands):
    """The group of DATA_SUBCOMMANDS."""

    subcommands: ClassVar[Mapping[str, str]] = DATA_SUBCOMMANDS
    prefix: ClassVar[str] = "data_"


class PipelineSubcommands(Subcommands):
    """The group of PIPELINE_SUBCOMMANDS."""

    subcommands: ClassVar[Mapping[str, str]] = PIPELINE_SUBCOMMANDS
    prefix: ClassVar[str] = "pipeline_"
