"""`boxtune speed`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from boxtune.cli.options import ExperimentName, volumes_of
from boxtune.cli.paths import experiment_file
from boxtune.errors import EXIT_DONE, ExperimentError
from boxtune.experiment.loading import load_experiment
from boxtune.local.speed import BFLOAT16, Speed, measure_speed


def speed(
    experiment: Annotated[
        Path,
        typer.Argument(metavar="EXPERIMENT.yaml", help="one Experiment, and its ConfigMaps", parser=experiment_file),
    ],
    volume: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DIR", help="the folder of a volume or claim; repeatable")
    ] = None,
    name: ExperimentName = None,
    steps: Annotated[int, typer.Option(min=10, help="training steps of each trial")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="the measurements as JSON")] = False,
) -> int:
    """Measure what trains fastest on this machine: in bfloat16 or not, and how many trials at a time.

    Trains the base config's own values for a few steps in each way, one way after the other, and says what to add to
    boxtune run and to the Experiment. Takes a few minutes; let nothing else run meanwhile.

    Example: boxtune speed experiment.yaml --volume data=/data/drones
    """
    progress = Console(stderr=True, highlight=False)

    def say(bfloat16: bool, at_a_time: int) -> None:
        progress.print(f"measuring: {at_a_time} at a time{', in bfloat16' if bfloat16 else ''}")

    with tempfile.TemporaryDirectory(prefix="boxtune-speed-") as folder:
        volumes = volumes_of(volume)
        found = list(measure_speed(load_experiment(experiment, name), volumes, steps, Path(folder), say))
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        _print(found)
    if found[0].problem:
        raise ExperimentError(f"{experiment}: its trials fail: {found[0].problem}")
    return EXIT_DONE


def _print(found: Sequence[Speed]) -> None:
    table = Table("trials", "computing", "steps/s", "ratio", "memory each", box=None, pad_edge=False)
    first = found[0].steps_per_second
    for each in found:
        what = BFLOAT16 if each.bfloat16 else "as in config"
        if each.problem:
            table.add_row(str(each.at_a_time), what, each.problem)
        else:
            rate, ratio = f"{each.steps_per_second:.2f}", f"{each.steps_per_second / first:.2f}" if first else ""
            table.add_row(str(each.at_a_time), what, rate, ratio, f"{each.memory:.0f} MiB")
    console = Console(highlight=False)
    console.print(table)
    for line in _advice(found):
        console.print(line, soft_wrap=True)


def _advice(found: Sequence[Speed]) -> list[str]:
    """What to add where it was measured faster."""
    most = max((each for each in found if not each.bfloat16), key=lambda each: each.steps_per_second)
    narrow = next((each for each in found if each.bfloat16), None)
    lines = [f"most steps together: {most.at_a_time} at a time (boxtune run --parallel {most.at_a_time})"]
    if narrow is not None and narrow.steps_per_second > found[0].steps_per_second:
        lines.append(f"faster in bfloat16: add --set={BFLOAT16}=true to the trial's args, and compare its mAP")
    return lines
