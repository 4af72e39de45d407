"""The contract's requests: what `python -m trial_entry` is asked for, one frozen dataclass a command.

`request.argv()` is the command line and `parse` reads it back: `parse(request.argv()) == request`. A new argument is
one field; a new command is one class here, and its function in `trial_entry.commands`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from trial_entry.contract.arguments import (
    ASSIGNMENT,
    FILE,
    FOLDER,
    METRIC,
    PLACE,
    TEXT,
    TILING,
    Assignment,
    arguments_of,
    maybe,
    number,
    one_of,
    optional,
    positional,
    read_arguments,
    repeated,
    required,
    switch,
    whole,
)
from trial_entry.contract.exports import FORMATS, TilingRecord
from trial_entry.contract.metrics import MAP, Objective, less_is_better
from trial_entry.contract.versions import versions
from trial_entry.errors import RequestError
from trial_entry.storage.urls import Remote

MAXIMIZE, MINIMIZE = "maximize", "minimize"  # Katib's words for an objective's type
PROGRAM = (sys.executable, "-m", "trial_entry")


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


@dataclass(frozen=True)
class TrainRequest(AssigningRequest):
    """One trial: assignments in, metrics out.

    Attributes:
        model_dir: MODEL_DIR.
        score_threshold: for precision and recall.
        num_train_steps: where to stop under an unchanged schedule; None for the schedule's end.
        checkpoint_every_n, eval_every_n: steps; no evaluation but the last where the second is 0.
        seed: of everything random; None to draw one.
        objective_metric, objective_type: what the checkpoint in best/ is best by; None for the metric's own direction.
        deterministic: whether the same seed gives the same numbers.
        divergence_factor, divergence_steps: when the loss is said to diverge.
    """

    command = "train"
    about = """\
Render the config from its assignments, train, evaluate, and print the metrics.

The same command on the same --model_dir goes on from its checkpoint; a finished one prints its metrics again.

commands: train (the default), evaluate, export, detect, build, stop, serve; each has its own --help

exit codes: 0 measured; 2 the request is wrong (one line says how); 3 out of memory; 143 stopped by SIGTERM after
saving a checkpoint; 1 a bug
"""
    model_dir: Path | Remote = required(
        PLACE, "DIR", "checkpoints, metrics.json, trial.json and TensorBoard events go here, or to gs://BUCKET/PREFIX"
    )
    score_threshold: float = optional(
        number(0, 1), 0.5, "X", "detections below it do not count for precision and recall (default 0.5)"
    )
    num_train_steps: int | None = maybe(
        whole(1),
        "N",
        "stop after N steps under an unchanged schedule (--set=num_steps=N changes the schedule with it)",
    )
    checkpoint_every_n: int = optional(whole(1), 1000, "N", "steps between checkpoints (1000)")
    eval_every_n: int = optional(whole(0), 0, "N", "steps between evaluations (0: at the end)")
    seed: int | None = maybe(whole(0), "N", "of everything random (drawn and noted if left out)")
    objective_metric: str = optional(METRIC, MAP, "NAME", "best/ keeps the checkpoint that is best by it (mAP)")
    objective_type: str | None = maybe(
        one_of(MAXIMIZE, MINIMIZE),
        "TYPE",
        "maximize or minimize it (by default what is better: less of a loss)",
    )
    deterministic: bool = switch("the same seed gives the same numbers on this machine; one thread an operation")
    divergence_factor: float = optional(
        number(1), 10.0, "X", "diverged where the smoothed loss stays above X times its first value … (10)"
    )
    divergence_steps: int = optional(whole(1), 50, "N", "… for N steps in a row (50)")

    @property
    def objective(self) -> Objective:
        """What the best checkpoint is best by."""
        if self.objective_type is None:
            return Objective(self.objective_metric, less_is_better(self.objective_metric))
        return Objective(self.objective_metric, self.objective_type == MINIMIZE)


@dataclass(frozen=True)
class EvaluateRequest(Request):
    """The metrics of one checkpoint.

    Attributes:
        pipeline_config_path: what describes model and data.
        model_dir: the folder of the checkpoint.
        score_threshold: for precision and recall.
        checkpoint: its prefix; None for the folder's latest.
        reader: the name of the eval_input_reader; None for the one that validates.
        output: the file for the metrics; None for MODEL_DIR/evaluation.json.
        details: a folder for curves and pictures, or None.
        pictures: how many of them.
        detections: a file for ground truth and detections, or None.
        raw_detections: a file for the boxes before suppression, or None.
    """

    command = "evaluate"
    about = "Evaluate a checkpoint, this program's or the stock tools', and print its metrics."
    model_dir: Path | Remote = required(PLACE, "DIR", "the folder of the checkpoint, or gs://BUCKET/PREFIX")
    pipeline_config_path: Path | Remote = required(PLACE, "FILE", "the (base) pipeline.config; gs:// too")
    score_threshold: float = optional(
        number(0, 1), 0.5, "X", "detections below it do not count for precision and recall (default 0.5)"
    )
    checkpoint: str | None = maybe(TEXT, "PREFIX", "this checkpoint instead of the folder's latest")
    reader: str | None = maybe(TEXT, "NAME", "the eval_input_reader of this name: test (the one that validates)")
    output: Path | None = maybe(FILE, "FILE", "where the metrics go as JSON (DIR/evaluation.json)")
    details: Path | None = maybe(
        FILE, "FOLDER", "also write curves, a table by class and pictures there, which boxtune report shows"
    )
    pictures: int = optional(whole(0), 12, "N", "how many of them (12)")
    detections: Path | None = maybe(
        FILE, "FILE", "also write ground truth and detections there, as COCO's JSON with a list of detections"
    )
    raw_detections: Path | None = maybe(
        FILE, "FILE", "also keep the boxes before suppression there (.npz), to suppress them again otherwise"
    )


@dataclass(frozen=True)
class ExportRequest(Request):
    """A checkpoint in other formats (`trial_entry.contract.exports`).

    Attributes:
        pipeline_config_path: what describes model and data.
        model_dir: the folder of the checkpoint.
        output: the folder to write, whole or not at all.
        checkpoint: its prefix; None for the latest in best/ of the folder, else in the folder.
        formats: which; none for all that the model can.
        compare: how many validation images are compared; 0 for all.
        no_compare: whether nothing is compared.
        representative: how many training images set int8's ranges.
        score_threshold: for precision and recall, and for who shows detections.
        loss, int8_loss: how much mAP a file may differ by from the checkpoint, and int8's lose.
        lost_classes: whether a class may lose all of its mAP.
        tiling: how large images were cut for the training data; None where they were not.
    """

    command = "export"
    about = """\
Write a checkpoint as SavedModel, TensorFlow Lite and ONNX; load each again and compare its mAP with the checkpoint's.
"""
    model_dir: Path = required(FOLDER, "DIR", "the folder of the checkpoint")
    pipeline_config_path: Path = required(FILE, "FILE", "the pipeline.config that it was trained with")
    output: Path = required(FOLDER, "DIR", "the folder to write; it is there whole or not at all")
    checkpoint: str | None = maybe(TEXT, "PREFIX", "this checkpoint instead of the best, or the folder's latest")
    formats: tuple[str, ...] = repeated(
        one_of(*FORMATS), "FORMAT", f"{', '.join(FORMATS)}; repeatable (all that the model can)", flag="--format"
    )
    compare: int = optional(whole(0), 0, "N", "compare on the first N validation images (0: all)")
    no_compare: bool = switch("compare nothing: no validation records are needed")
    representative: int = optional(whole(1), 100, "N", "training images that set int8's ranges (100)")
    score_threshold: float = optional(
        number(0, 1), 0.5, "X", "detections below it do not count for precision and recall (default 0.5)"
    )
    loss: float = optional(number(0, 1), 0.005, "X", "of mAP, that a file may differ by from the checkpoint (0.005)")
    int8_loss: float = optional(number(0, 1), 0.05, "X", "of mAP, that int8 may lose (0.05)")
    lost_classes: bool = switch("a class may lose all of its mAP")
    tiling: TilingRecord | None = maybe(TILING, "WxH+N", "tiles of the training data and their overlap, in pixels")


@dataclass(frozen=True)
class DetectRequest(Request):
    """What a SavedModel of `export` finds in image files (`trial_entry.contract.detecting`).

    Attributes:
        saved_model: the folder.
        images: a JSON line for each image or window to look at.
        output: a JSON line for each, in their order.
        score_threshold: below it a detection is left out.
        batch_size: images of one size that are looked at together.
    """

    command = "detect"
    about = "Look at images with a SavedModel of export; an image that is none is said in its line."
    saved_model: Path = required(FILE, "DIR", "the folder saved_model of an export")
    images: Path = required(FILE, "FILE", "a JSON object a line: file, and window as [left, top, right, lower]")
    output: Path = required(FILE, "FILE", "where the detections go, a JSON line for each")
    score_threshold: float = optional(number(0, 1), 0.0, "X", "leave out detections below it (0)")
    batch_size: int = optional(whole(1), 8, "N", "images of one size that are looked at together (8)")


@dataclass(frozen=True)
class BuildRequest(AssigningRequest):
    """The models that assignments make, built and not trained.

    Attributes:
        model_dir: build.json goes there.
        cases: a JSON list of objects, one a model, with its assignments beside `assignments`; None for those alone.
    """

    command = "build"
    about = "Build the models that assignments make, train nothing; build.json says what became of each."
    model_dir: Path = required(FOLDER, "DIR", "build.json goes here")
    cases: Path | None = maybe(
        FILE, "FILE", "a JSON list of objects: one model for each, with its assignments beside those of --set"
    )


@dataclass(frozen=True)
class StopRequest(Request):
    """The end of the trial that runs in a MODEL_DIR.

    Attributes:
        model_dir: the folder that the trial was started with.
        timeout: seconds to wait for its end.
    """

    command = "stop"
    about = "End the trial that runs in --model_dir. It saves a checkpoint; the same train command goes on from it."
    model_dir: Path | Remote = required(PLACE, "DIR", "what the trial was started with, on this machine")
    timeout: float = optional(number(0), 60.0, "SECONDS", "wait this long at most (60)")


@dataclass(frozen=True)
class ServeRequest(Request):
    """A server that starts trials by fork (`trial_entry.contract.serving`).

    Attributes:
        socket: the Unix socket that it makes.
    """

    command = "serve"
    about = (
        "Import TensorFlow once, then start trials by fork as SOCKET is asked to; boxtune run does. "
        "Its trials end with it."
    )
    socket: Path = positional(FILE, "SOCKET", "the Unix socket to make; it must not exist")


REQUESTS: dict[str, type[Request]] = {
    kind.command: kind
    for kind in (
        TrainRequest,
        EvaluateRequest,
        ExportRequest,
        DetectRequest,
        BuildRequest,
        StopRequest,
        ServeRequest,
    )
}


def parse(argv: Sequence[str], aliases: Sequence[str] = ()) -> Request:
    """The request that the arguments after `python -m trial_entry` are; `train` where no command is named.

    Prints and ends by SystemExit for `--help` and `--version`.

    Args:
        aliases: of assignments, for the help to list.

    Raises:
        RequestError: unknown, missing or malformed arguments, in one line.
    """
    argv = list(argv)
    if argv[:1] == ["--version"]:
        print(versions())
        raise SystemExit(0)
    if not argv or argv[0].startswith("-"):
        argv = [TrainRequest.command, *argv]
    command, *arguments = argv
    if command not in REQUESTS:
        raise RequestError(f'"{command}" is no command; there are {", ".join(REQUESTS)} (no command means train)')
    kind = REQUESTS[command]
    hint = f"python -m trial_entry {{{','.join(REQUESTS)}}} --help lists the arguments"
    words = {"aliases": "".join(f"{name}, " for name in aliases)}
    return read_arguments(kind, arguments, f"python -m trial_entry {command}", kind.about, hint, words)
