"""The contract's requests: what `python -m trial_entry` is asked for, one frozen dataclass a command.

`request.argv()` is the command line and `parse` reads it back: `parse(request.argv()) == request`. A new argument is
one field; a new command is one class here or in `export_requests`, and its function in `trial_entry.commands`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trial_entry.contract.arguments import (
    DIGEST,
    FILE,
    FOLDER,
    HOME,
    METRIC,
    PLACE,
    REMOTE,
    TEXT,
    maybe,
    number,
    one_of,
    optional,
    positional,
    read_arguments,
    required,
    switch,
    whole,
)
from trial_entry.contract.export_requests import DetectRequest, ExportRequest
from trial_entry.contract.metrics import MAP, Objective, less_is_better
from trial_entry.contract.request import AssigningRequest, Request
from trial_entry.contract.versions import versions
from trial_entry.errors import RequestError
from trial_entry.storage.urls import Remote

MAXIMIZE, MINIMIZE = "maximize", "minimize"  # Katib's words for an objective's type
PROGRAM = (sys.executable, "-m", "trial_entry")
_DIGITS = 16  # of a config's digest: 64 bits, which no two configs of a search share


@dataclass(frozen=True)
class TrainRequest(AssigningRequest):
    """One trial: assignments in, metrics out.

    Attributes:
        model_dir: MODEL_DIR; None where there is a model_root.
        model_root: what MODEL_DIR lies below, under a name made of config and seed; None where there is a model_dir.
        score_threshold: for precision and recall.
        num_train_steps: where to stop under an unchanged schedule; None for the schedule's end.
        checkpoint_every_n, eval_every_n: steps; no evaluation but the last where the second is 0.
        seed: of everything random; None to draw one, or for 0 below a model_root.
        objective_metric, objective_type: what the checkpoint in best/ is best by; None for the metric's own direction.
        deterministic: whether the same seed gives the same numbers.
        divergence_factor, divergence_steps: when the loss is said to diverge.
    """

    command = "train"
    about = """\
Render the config from its assignments, train, evaluate, and print the metrics.

The same command on the same --model_dir goes on from its checkpoint; a finished one prints its metrics again.
With --model_root in its place so does every command with the same config and seed, and a later --num_train_steps.

commands: train (the default), evaluate, export, detect, build, fetch, stop, serve; each has its own --help

exit codes: 0 measured; 2 the request is wrong (one line says how); 3 out of memory; 143 stopped by SIGTERM after
saving a checkpoint; 1 a bug
"""
    model_dir: Path | Remote | None = maybe(
        HOME, "DIR", "checkpoints, metrics.json, trial.json and TensorBoard events go here, or to gs://BUCKET/PREFIX"
    )
    model_root: Path | Remote | None = maybe(
        HOME, "DIR", "instead of --model_dir: they go to DIR/DIGEST-SEED, by the config's digest and the seed (or 0)"
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
    seed: int | None = maybe(whole(0, 2**32 - 1), "N", "of everything random (drawn and noted if left out)")
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

    def __post_init__(self) -> None:
        super().__post_init__()
        _one_of_both(self.model_dir, self.model_root)

    def place(self, digest: str) -> Path | Remote:
        """MODEL_DIR.

        Args:
            digest: of the rendered config, hexadecimal (`RenderedConfig.digest`).
        """
        if self.model_root is None:
            assert self.model_dir is not None  # one of them is given
            return self.model_dir
        return self.model_root / f"{digest[:_DIGITS]}-{self.seed or 0}"

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
class FetchRequest(Request):
    """A copy of what lies below a prefix; a pod's init container asks for it.

    Attributes:
        source: the prefix.
        folder: what is filled.
        cache: a folder that several machines share, or None.
        digest: tells the content from others'; None for that of the names, sizes and checksums.
    """

    command = "fetch"
    about = """\
Copy all that lies below a prefix into a folder, several objects at a time, each checked; the same again does nothing.

Exit codes: 0 all is there; 2 it cannot be read, or not be written here (one line says why); 143 stopped by SIGTERM.
"""
    source: Remote = required(REMOTE, "URL", "gs://BUCKET/PREFIX or s3://BUCKET/PREFIX", flag="--from")
    folder: Path = required(FOLDER, "DIR", "what is filled; other files there stay", flag="--to")
    cache: Path | None = maybe(FOLDER, "DIR", "keep a copy here, which others take; one of them fetches")
    digest: str | None = maybe(DIGEST, "TEXT", "its name in the cache (that of names, sizes and checksums)")


@dataclass(frozen=True)
class StopRequest(Request):
    """The end of the trial that runs in a MODEL_DIR, or of those of this machine that run below a model_root.

    Attributes:
        model_dir, model_root: what the trial was started with; one of them.
        timeout: seconds to wait for its end.
    """

    command = "stop"
    about = """\
End the trial that runs in --model_dir, or below --model_root in this pod or on this machine. It saves a checkpoint; the
same train command goes on from it.
"""
    model_dir: Path | Remote | None = maybe(HOME, "DIR", "what the trial was started with, on this machine")
    model_root: Path | Remote | None = maybe(HOME, "DIR", "likewise, where that was a --model_root")
    timeout: float = optional(number(0), 60.0, "SECONDS", "wait this long at most (60)")

    def __post_init__(self) -> None:
        _one_of_both(self.model_dir, self.model_root)


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


def _one_of_both(model_dir: Path | Remote | None, model_root: Path | Remote | None) -> None:
    """Raises RequestError unless exactly one of the two is given."""
    if model_dir is None and model_root is None:
        raise RequestError(
            "neither --model_dir nor --model_root is given; write --model_dir=DIR, or --model_root=DIR for a folder "
            "below DIR that is named by config and seed"
        )
    if model_dir is not None and model_root is not None:
        raise RequestError(f"--model_dir={model_dir} and --model_root={model_root} are both given; keep one of them")


REQUESTS: dict[str, type[Request]] = {
    kind.command: kind
    for kind in (
        TrainRequest,
        EvaluateRequest,
        ExportRequest,
        DetectRequest,
        BuildRequest,
        FetchRequest,
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
