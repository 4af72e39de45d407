"""`boxtune pipeline run`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from boxtune.cli.options import ExperimentName
from boxtune.cli.paths import run_folder
from boxtune.cli.pipeline_options import Image, Parameters, need_kfp
from boxtune.errors import InputError
from trial_entry.storage.urls import is_remote

if TYPE_CHECKING:
    from pipelines.steps.telling import Told

_RUNS = Path("pipeline-runs")
_SEARCHES = "searches"  # in the folder of a run: journals, with which the same command goes on
_PLACES = ("experiment", "data", "config", "annotations", "images")
_TEXTS = ("experiment", "config")  # which can be given themselves
_FOLDERS = ("data", "annotations", "images")
_OF_A_CLUSTER = (
    "search_gpus",
    "gpus",
    "gpu_type",
    "memory",
    "tolerations",
    "node_selector",
    "namespace",
    "trial_image",
    "cache_claim",
)


def pipeline_run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="tune_and_train, train_only or import_tune_and_train")],
    experiment: Annotated[str | None, typer.Option(metavar="FILE", help="the Experiment")] = None,
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="the folder of the records, gs:// and s3:// too")
    ] = None,
    config: Annotated[str | None, typer.Option(metavar="FILE", help="the pipeline.config to train")] = None,
    annotations: Annotated[str | None, typer.Option(metavar="PATH", help="what records are to be made of")] = None,
    images: Annotated[str | None, typer.Option(metavar="DIR", help="where the images lie, if not beside them")] = None,
    param: Parameters = None,
    experiment_name: ExperimentName = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="where all goes; the same again goes on (pipeline-runs/NAME)", parser=run_folder
        ),
    ] = None,
    runner: Annotated[
        Literal["subprocess", "docker"], typer.Option(help="each step a process of this machine, or a container")
    ] = "subprocess",
    image: Image = None,
) -> None:
    """Run a pipeline on this machine, by kfp.local: the steps, artifacts and messages that a cluster would have.

    The search runs within its step (engine local). Whatever interrupts the run, the same command goes on: ended trials
    stay, and what was imported and checked is not done again.

    Example: boxtune pipeline run tune_and_train --experiment manifests/experiments/quick-start.yaml --data data
    """
    need_kfp()
    from pipelines.parameters import arguments, refuse_missing
    from pipelines.running import LocalOptions, run_here
    from pipelines.steps.given import Changes, experiment_file, is_text, prepared

    if experiment_name is not None:
        if experiment is None:
            raise InputError(f"--name {experiment_name}: chooses an Experiment of a file, which --experiment names")
        experiment = prepared(experiment_file(experiment), Changes(), experiment_name)
    places = dict(zip(_PLACES, (experiment, data, config, annotations, images), strict=True))
    given = {
        each: value if each in _TEXTS and is_text(value) else _absolute(each, value)
        for each, value in places.items()
        if value is not None
    }
    folder = (out or _RUNS / name).absolute()
    known = arguments(
        name, [*(f"{each}={value}" for each, value in given.items()), *_set_here(name, folder), *(param or ())]
    )
    refuse_missing(name, known)
    if known.get("engine", "local") != "local":
        raise InputError("engine katib: of a cluster; boxtune pipeline submit runs it there")
    _note_ignored(known)
    if "publish_to" in known:
        known["publish_to"] = _absolute("publish_to", str(known["publish_to"]))
    _refuse_within(known, folder)
    options = LocalOptions(folder, runner, image, _mounted(known, _PLACES), _mounted(known, ("publish_to", "journal")))
    outputs = run_here(name, known, options, partial(_show, sys.stdout))
    for line in _ends(outputs):
        print(line)


def _set_here(name: str, folder: Path) -> list[str]:
    if name == "train_only":
        return []
    return ["engine=local", f"journal={folder / _SEARCHES}"]


def _absolute(name: str, place: str) -> str:
    """The steps may run elsewhere.

    Raises:
        InputError: a URL that nobody here reads.
    """
    if "://" in place and not is_remote(place):
        raise InputError(f"{name} {place}: write gs://, s3://, or the path of a folder of this machine")
    return place if is_remote(place) or not place else str(Path(place).expanduser().absolute())


def _refuse_within(known: Mapping[str, object], out: Path) -> None:
    """Raises InputError where what the run writes would lie in a folder whose digest says whether anything changed."""
    written = {"--out": out, "publish_to": Path(str(known.get("publish_to") or out))}
    for name in _FOLDERS:
        place = str(known.get(name) or "")
        if not place or is_remote(place) or not Path(place).is_dir():
            continue
        for option, folder in written.items():
            if not is_remote(str(folder)) and folder.resolve().is_relative_to(Path(place).resolve()):
                what = f"lies within --{name} {place}, which each run would so change for the next"
                raise InputError(f"{option} {folder}: {what}; give a folder elsewhere")


def _mounted(known: Mapping[str, object], names: Sequence[str]) -> list[Path]:
    """What a container must see: folders, and of a file the folder that it lies in."""
    from pipelines.steps.given import is_text

    found: list[Path] = []
    for name in names:
        text = str(known.get(name, ""))
        if not text or is_remote(text) or (name in _TEXTS and is_text(text)):
            continue
        path = Path(text)
        found.append(path.parent if path.is_file() else path)
    return found


def _note_ignored(known: Mapping[str, object]) -> None:
    ignored = [name for name in _OF_A_CLUSTER if known.get(name)]
    if ignored:
        print(f"note: {', '.join(ignored)}: of a cluster; a run on this machine has no use for it", file=sys.stderr)


def _show(screen: TextIO, told: Told) -> None:
    """On the screen as it was before kfp, whose own output goes to a log."""
    print(told.sentence, file=screen, flush=True)


def _ends(outputs: Mapping[str, str]) -> Iterator[str]:
    for name, value in outputs.items():
        yield f"{name}: {value}"
    if "published" in outputs:
        yield f"next: boxtune predict {outputs['published']} IMAGES"
