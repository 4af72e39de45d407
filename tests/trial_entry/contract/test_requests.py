"""Requests and their command lines: one definition a field, read and written."""

from __future__ import annotations

import dataclasses
import math
import random
import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trials import run
from trial_entry.contract.arguments import Assignment
from trial_entry.contract.export_requests import DetectRequest, ExportRequest
from trial_entry.contract.exports import FORMATS, TilingRecord
from trial_entry.contract.request import Request
from trial_entry.contract.requests import (
    PROGRAM,
    REQUESTS,
    BuildRequest,
    EvaluateRequest,
    FetchRequest,
    ServeRequest,
    StopRequest,
    TrainRequest,
    parse,
)
from trial_entry.contract.versions import versions
from trial_entry.errors import RequestError
from trial_entry.storage.urls import Remote

_CHARACTERS = string.ascii_letters + string.digits + "-_./=,:$%{}[]'\"\\ äß漢\t"


def _text(draw: random.Random) -> str:
    return "".join(draw.choice(_CHARACTERS) for _ in range(draw.randrange(12)))


def _path(draw: random.Random) -> Path:
    return Path(_text(draw))


def _assignments(draw: random.Random) -> tuple[Assignment, ...]:
    """Different names, each with any text after its equals sign."""
    names = draw.sample(["learning_rate", "model.ssd.num_classes", "-odd", "a b", "x{y}", "%s"], draw.randrange(4))
    return tuple(Assignment(name, _text(draw)) for name in names)


def _paths(draw: random.Random) -> tuple[Path, ...]:
    return tuple(_path(draw) for _ in range(draw.randrange(3)))


def _maybe(draw: random.Random, make: Callable[[random.Random], object]) -> object:
    return make(draw) if draw.random() < 0.5 else None


def _home(draw: random.Random) -> dict[str, Path | Remote]:
    """One of the two."""
    places: list[Path | Remote] = [_path(draw), Remote("gs://bucket/root")]
    return {draw.choice(["model_dir", "model_root"]): draw.choice(places)}


def _train(draw: random.Random) -> TrainRequest:
    return TrainRequest(
        pipeline_config_path=_path(draw),
        **_home(draw),
        assignments=_assignments(draw),
        fragments=_paths(draw),
        checkpoint_for=_assignments(draw),
        score_threshold=draw.choice([0.0, 0.5, 1.0, draw.random(), 1e-300]),
        num_train_steps=draw.choice([None, 1, 10**12]),
        checkpoint_every_n=draw.choice([1, 1000, 7]),
        eval_every_n=draw.choice([0, 5]),
        seed=draw.choice([None, 0, 2**31]),
        objective_metric=draw.choice(["mAP", "total_loss", "mAP_class_a-b"]),
        objective_type=draw.choice([None, "maximize", "minimize"]),
        deterministic=draw.random() < 0.5,
        divergence_factor=draw.choice([10.0, 1.0, math.inf, 1 + draw.random()]),
        divergence_steps=draw.choice([50, 1]),
    )


def _evaluate(draw: random.Random) -> EvaluateRequest:
    return EvaluateRequest(
        pipeline_config_path=_path(draw),
        model_dir=_path(draw),
        score_threshold=draw.random(),
        checkpoint=_maybe(draw, _text),  # type: ignore[arg-type]
        output=_maybe(draw, _path),  # type: ignore[arg-type]
        details=_maybe(draw, _path),  # type: ignore[arg-type]
        pictures=draw.choice([0, 12, 99]),
        raw_detections=_maybe(draw, _path),  # type: ignore[arg-type]
    )


def _export(draw: random.Random) -> ExportRequest:
    return ExportRequest(
        pipeline_config_path=_path(draw),
        model_dir=_path(draw),
        output=_path(draw),
        checkpoint=_maybe(draw, _text),  # type: ignore[arg-type]
        formats=tuple(draw.sample(list(FORMATS), draw.randrange(4))),
        compare=draw.choice([0, 7]),
        no_compare=draw.random() < 0.5,
        representative=draw.choice([1, 100]),
        score_threshold=draw.random(),
        loss=draw.choice([0.0, 0.005, draw.random()]),
        int8_loss=draw.random(),
        lost_classes=draw.random() < 0.5,
        tiling=draw.choice([None, TilingRecord(640, 480, 0), TilingRecord(1, 1, 99)]),
    )


def _detect(draw: random.Random) -> DetectRequest:
    return DetectRequest(
        saved_model=_path(draw),
        images=_path(draw),
        output=_path(draw),
        score_threshold=draw.random(),
        batch_size=draw.choice([1, 8]),
    )


def _build(draw: random.Random) -> BuildRequest:
    return BuildRequest(
        pipeline_config_path=_path(draw),
        model_dir=_path(draw),
        assignments=_assignments(draw),
        fragments=_paths(draw),
        checkpoint_for=_assignments(draw),
        cases=_maybe(draw, _path),  # type: ignore[arg-type]
    )


def _fetch(draw: random.Random) -> FetchRequest:
    return FetchRequest(
        source=Remote(draw.choice(["gs://bucket/data", "s3://bucket/a/b c", "minio://bucket"])),
        folder=_path(draw),
        cache=_maybe(draw, _path),  # type: ignore[arg-type]
        digest=draw.choice([None, "0f", "a-b_c"]),
    )


def _stop(draw: random.Random) -> StopRequest:
    return StopRequest(**_home(draw), timeout=draw.choice([0.0, 60.0, 0.1, math.inf]))


def _serve(draw: random.Random) -> ServeRequest:
    return ServeRequest(socket=_path(draw))


_DRAWN: dict[str, Callable[[random.Random], Request]] = {
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "detect": _detect,
    "build": _build,
    "fetch": _fetch,
    "stop": _stop,
    "serve": _serve,
}


def test_every_command_is_drawn() -> None:
    assert set(_DRAWN) == set(REQUESTS)


@pytest.mark.parametrize("command", REQUESTS)
def test_what_is_written_is_read_again(command: str) -> None:
    draw = random.Random(command)
    for _ in range(500):
        request = _DRAWN[command](draw)
        assert parse(request.argv()) == request, request.argv()


def test_no_command_means_train() -> None:
    argv = ["--pipeline_config_path=a", "--model_dir", "b", "--set", "batch_size=8", "--set=nms_iou_threshold= 0.5 "]
    wanted = TrainRequest(
        pipeline_config_path=Path("a"),
        model_dir=Path("b"),
        assignments=(Assignment("batch_size", "8"), Assignment("nms_iou_threshold", "0.5")),
    )
    assert parse(argv) == parse(["train", *argv]) == wanted


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "the following arguments are required: --pipeline_config_path (python -m trial_entry"),
        (["--pipeline_config_path=c"], "neither --model_dir nor --model_root is given; write --model_dir=DIR, or"),
        (["stop"], "neither --model_dir nor --model_root is given"),
        (["stop", "--model_dir=m", "--model_root=r"], "--model_dir=m and --model_root=r are both given; keep one"),
        (
            ["--pipeline_config_path=c", "--model_root=gs://b/r", "--model_dir="],
            "--model_dir=. and --model_root=gs://b/r are both given; keep one of them",
        ),
        (["--pipeline_config_path=c", "--model_root=s3://b/m"], "s3://b/m: s3:// is read here, not written"),
        (["stop", "--model_dir=m", "--timeout=nan"], "must be from 0 to inf"),
        (
            ["build", "--model_dir=gs://b/m", "--pipeline_config_path=c"],
            "gs://b/m: must be a path of this machine here",
        ),
        (["--pipeline_config_path=s3://b/c", "--model_dir=s3://b/m"], "s3://b/m: s3:// is read here, not written"),
        (["stop", "--model_dir=gs://"], "gs://: write gs://BUCKET/PREFIX"),
        (["build", "--model_dir=m", "--pipeline_config_path=c", "--set=a"], "joined by an equals sign"),
        (["--objective_metric=map"], 'map is no metric that a trial prints; the nearest is "mAP"'),
        (["--objective_type=least"], "least is none of maximize, minimize"),
        (["export", "--model_dir=m", "--pipeline_config_path=c"], "required: --output"),
        (["export", "--format=coreml"], "coreml is none of saved_model, tflite, tflite_fp16, tflite_int8, onnx"),
        (["export", "--tiling=640"], "640 is no WIDTHxHEIGHT+OVERLAP, such as 640x640+128"),
        (["serve"], "SOCKET"),
        (["serve", "a", "b"], "unrecognized arguments: b"),
        (["stop", "--model_d=m"], "unrecognized arguments: --model_d=m"),
        (
            ["tune"],
            '"tune" is no command; there are train, evaluate, export, detect, build, fetch, stop, serve (no',
        ),
        (["--pipeline_config_path=c", "--model_dir=m", "--checkpoint_for=a=b", "--checkpoint_for=a=c"], "stands twice"),
    ],
)
def test_a_wrong_command_line_is_one_line(argv: list[str], says: str) -> None:
    with pytest.raises(RequestError, match=r"\A[^\n]+\Z") as wrong:
        parse(argv)
    assert says in str(wrong.value)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"model_dir": Path("m"), "seed": 7}, Path("m")),
        ({"model_root": Path("r"), "seed": 7}, Path("r/0123456789abcdef-7")),
        ({"model_root": Path("r")}, Path("r/0123456789abcdef-0")),
        ({"model_root": Path("r"), "num_train_steps": 9}, Path("r/0123456789abcdef-0")),
        ({"model_root": Remote("gs://b/r/")}, Remote("gs://b/r/0123456789abcdef-0")),
    ],
)
def test_the_place_is_given_or_made_of_config_and_seed(given: dict[str, Any], wanted: Path | Remote) -> None:
    assert TrainRequest(pipeline_config_path=Path("c"), **given).place("0123456789abcdef" * 4) == wanted


@pytest.mark.parametrize("command", ["", *REQUESTS])
def test_help_lists_every_argument(command: str) -> None:
    ended = run(*command.split(), "--help")
    assert ended.code == 0
    fields = {field.name for field in dataclasses.fields(REQUESTS[command or "train"])}
    for field in fields:
        assert {
            "assignments": "--set",
            "formats": "--format",
            "socket": "SOCKET",
            "source": "--from",
            "folder": "--to",
        }.get(field, f"--{field} ") in ended.out
    assert ("learning_rate" in ended.out) == ("assignments" in fields)


def test_version() -> None:
    ended = run("--version")
    assert (ended.code, ended.out.strip()) == (0, versions())
    assert versions().startswith("boxtune ")
    assert "tensorflow 2." in versions()


def test_the_contract_needs_neither_tensorflow_nor_protobuf() -> None:
    code = (
        "import sys, trial_entry.contract.requests, trial_entry.contract.records, trial_entry.contract.exit_codes, "
        "trial_entry.contract.metrics, trial_entry.contract.serving; "
        "print({each.split('.')[0] for each in sys.modules} & {'tensorflow', 'google', 'numpy', 'object_detection'})"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
    assert (sys.executable, "-m", "trial_entry") == PROGRAM
