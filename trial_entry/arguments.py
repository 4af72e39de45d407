"""The command line of `python -m trial_entry`."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from trial_entry.errors import RequestError
from trial_entry.pipeline_config.aliases import ALIASES
from trial_entry.pipeline_config.aliases.alias import CountExamples, Surroundings
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.render import Assignment
from trial_entry.storage.buckets import is_remote

COMMANDS = ("train", "evaluate", "build", "stop", "serve")
_TRAIN_HELP = """\
Render the config from its assignments, train, evaluate, and print the metrics.

The same command on the same --model_dir goes on from its checkpoint; a finished one prints its metrics again.

commands: train (the default), evaluate, build, stop, serve; each has its own --help

exit codes: 0 measured; 2 the request is wrong (one line says how); 3 out of memory; 143 stopped by SIGTERM after
saving a checkpoint; 1 a bug
"""


class _Parser(argparse.ArgumentParser):
    """Wrong arguments are a wrong request, in one line."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message} (python -m trial_entry {{{','.join(COMMANDS)}}} --help lists the arguments)")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command (`train` where none is named) and its arguments.

    Raises:
        RequestError: unknown, missing or malformed arguments.
    """
    argv = list(argv)
    if argv[:1] in (["-h"], ["--help"]):
        argv = ["train", "--help"]
    elif not argv or argv[0].startswith("-"):
        argv = ["train", *argv]
    command = argv[0]
    if command not in COMMANDS:
        raise RequestError(f'"{command}" is no command; there are {", ".join(COMMANDS)} (no command means train)')
    parser = _Parser(
        prog=f"python -m trial_entry {command}",
        description=_HELP[command],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    if command in _MODEL_DIR_HELP:
        parser.add_argument("--model_dir", type=_folder, required=True, metavar="DIR", help=_MODEL_DIR_HELP[command])
    _ADD[command](parser)
    return parser.parse_args(argv[1:])


def _add_config_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pipeline_config_path", type=Path, required=True, metavar="FILE", help="the (base) pipeline.config"
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    _add_config_path(parser)
    parser.add_argument(
        "--score_threshold",
        type=_number(0, 1),
        default=0.5,
        metavar="X",
        help="detections below it do not count for precision and recall (default 0.5)",
    )


def _add_assignments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        dest="assignments",
        action="append",
        default=[],
        type=Assignment.parse,
        metavar="NAME=VALUE",
        help=f"an alias ({', '.join(ALIASES)}, augmentation.STEP) or a field path; once for each",
    )
    parser.add_argument(
        "--fragments",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder with own feature_extractors/NAME.pbtxt and models/NAME.pbtxt; repeatable",
    )
    parser.add_argument(
        "--checkpoint_for",
        dest="checkpoints",
        action="append",
        default=[],
        type=Assignment.parse,
        metavar="NAME=PREFIX",
        help="what a swapped-in feature extractor or model starts from, or none; once for each",
    )


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    _add_assignments(parser)
    parser.add_argument(
        "--num_train_steps",
        type=_whole(1),
        metavar="N",
        help="stop after N steps under an unchanged schedule (--set=num_steps=N changes the schedule with it)",
    )
    parser.add_argument(
        "--checkpoint_every_n", type=_whole(1), default=1000, metavar="N", help="steps between checkpoints (1000)"
    )
    parser.add_argument(
        "--eval_every_n", type=_whole(0), default=0, metavar="N", help="steps between evaluations (0: at the end)"
    )
    parser.add_argument(
        "--seed", type=_whole(0), metavar="N", help="of everything random (drawn and noted if left out)"
    )
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="the same seed gives the same numbers on this machine; one thread an operation",
    )
    parser.add_argument(
        "--divergence_factor",
        type=_number(1, math.inf),
        default=10.0,
        metavar="X",
        help="diverged where the smoothed loss stays above X times its first value … (10)",
    )
    parser.add_argument(
        "--divergence_steps", type=_whole(1), default=50, metavar="N", help="… for N steps in a row (50)"
    )


def _add_build(parser: argparse.ArgumentParser) -> None:
    _add_config_path(parser)
    _add_assignments(parser)
    parser.add_argument(
        "--cases",
        type=Path,
        metavar="FILE",
        help="a JSON list of objects: one model for each, with its assignments beside those of --set",
    )


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("--checkpoint", metavar="PREFIX", help="this checkpoint instead of the folder's latest")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where the metrics go as JSON (DIR/evaluation.json)"
    )
    parser.add_argument(
        "--details",
        type=Path,
        metavar="FOLDER",
        help="also write curves, a table by class and pictures there, which boxtune report shows",
    )
    parser.add_argument("--pictures", type=_whole(0), default=12, metavar="N", help="how many of them (12)")


def _add_stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=_number(0, math.inf), default=60.0, metavar="SECONDS", help="wait this long at most (60)"
    )


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("socket", type=Path, metavar="SOCKET", help="the Unix socket to make; it must not exist")


def _folder(text: str) -> Path:
    if is_remote(text):
        raise argparse.ArgumentTypeError(f"{text}: writing to a bucket is not built yet; give a local folder")
    return Path(text)


def _whole(low: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be at least {low}")
        return value

    return whole_number


def _number(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be from {low:g} to {high:g}")
        return value

    return number


_ADD = {"train": _add_train, "evaluate": _add_evaluate, "build": _add_build, "stop": _add_stop, "serve": _add_serve}
_HELP = {
    "train": _TRAIN_HELP,
    "evaluate": "Evaluate a checkpoint, this program's or the stock tools', and print its metrics.",
    "build": "Build the models that assignments make, train nothing; build.json says what became of each.",
    "stop": "End the trial that runs in --model_dir. It saves a checkpoint; the same train command goes on from it.",
    "serve": "Import TensorFlow once, then start trials by fork as SOCKET is asked to; boxtune run does. "
    "Its trials end with it.",
}
_MODEL_DIR_HELP = {
    "train": "checkpoints, metrics.json, trial.json and TensorBoard events go here",
    "evaluate": "the folder of the checkpoint",
    "build": "build.json goes here",
    "stop": "the folder that the trial was started with",
}


def command_line() -> str:
    """This process's arguments, for trial.json."""
    return shlex.join(sys.argv[1:])


def surroundings_of(arguments: argparse.Namespace, count_examples: CountExamples) -> Surroundings:
    """What `train`'s assignments may need, by its arguments.

    Raises:
        RequestError: two checkpoints for one name.
    """
    return Surroundings(count_examples, Fragments(tuple(arguments.fragments)), checkpoints_of(arguments))


def checkpoints_of(arguments: argparse.Namespace) -> dict[str, str]:
    """What swapped-in fragments start from, by their names.

    Raises:
        RequestError: two checkpoints for one name.
    """
    checkpoints: dict[str, str] = {}
    for given in arguments.checkpoints:
        if given.name in checkpoints:
            raise RequestError(f"--checkpoint_for={given.name}: stands twice; keep one")
        checkpoints[given.name] = given.value
    return checkpoints
