"""`boxtune parameters`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.paths import input_file
from boxtune.cli.printing import console
from boxtune.errors import InputError
from boxtune.report.parameters import parameters_text, parameters_yaml
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.aliases import find_alias
from trial_entry.pipeline_config.aliases.augmentation import OFF
from trial_entry.pipeline_config.listing import Assignable, assignable, assignable_aliases, assignable_fields
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.suggesting import fitting
from trial_entry.pipeline_config.text import read_config

_WIDTH = 400  # of a pipe: every row on one line


def parameters(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="a pipeline.config", parser=input_file)],
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="only these aliases")] = None,
    as_yaml: Annotated[
        bool,
        typer.Option(
            "--yaml",
            help="as blocks for an Experiment: parameters, trialParameters, args",
        ),
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="every field path with its type and value")] = False,
) -> None:
    """List what of a pipeline.config can be searched: name, type, value now, what to try, the field that it sets.

    Each name goes before the = of a trial's --set=NAME=VALUE. Any augmentation of the API can be switched as
    augmentation.STEP: those that are on come first, then those that can be added.

    Example: boxtune parameters pipeline.config learning_rate batch_size --yaml
    """
    if everything and (as_yaml or names):
        raise InputError("--all lists every field; give it without --yaml and names")
    try:
        read = read_config(config)
        found = assignable_fields(read) if everything else _aliases(read, names or [], as_yaml)
    except RequestError as error:
        raise InputError(str(error)) from None
    if everything:
        for each in found:
            print(f"{each.name}\t{each.kind}\t{each.current}")
    elif as_yaml:
        print(parameters_yaml(found), end="")
        if without := ", ".join(each.name for each in found if each.feasible is None) if names else "":
            print(
                f"{without}: there is nothing to try that this config, its checkpoint included, can take",
                file=sys.stderr,
            )
    else:
        out = console(_WIDTH)
        out.print(parameters_text(found, out.width), soft_wrap=True)


def _aliases(config: TrainEvalPipelineConfig, names: list[str], as_yaml: bool) -> list[Assignable]:
    if not names:
        found = assignable_aliases(config)
        shown = [each for each in found if each.current != OFF] if as_yaml else found  # nobody searches all that is off
        return fitting(config, shown)
    found = []
    for name in names:
        alias = find_alias(name)
        if alias is None:
            raise InputError(f"{name}: a field path, not an alias; --all lists the fields")
        found.append(assignable(config, alias))
    return fitting(config, found)
