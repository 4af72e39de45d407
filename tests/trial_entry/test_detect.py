"""`detect`: wrong requests are one line; what is in images is tested through `boxtune predict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.detectors import images_of
from tests.trials import Ended, run


def detect(model: Path, images: Path, output: Path, *more: str) -> Ended:
    return run("detect", f"--saved_model={model}", f"--images={images}", f"--output={output}", *more)


def test_windows_and_errors_come_back_in_their_order(exported: tuple[Path, Ended], ssd: Path, tmp_path: Path) -> None:
    first, second, *_ = images_of(ssd, tmp_path)
    wanted: list[dict[str, Any]] = [
        {"file": str(first)},
        {"file": str(first), "window": [0, 0, 100, 90]},
        {"file": str(tmp_path / "none.png")},
        {"file": str(second), "window": [0, 0, 500, 90]},
        {"file": str(second), "window": None},
    ]
    (tmp_path / "wanted.jsonl").write_text("".join(json.dumps(each) + "\n" for each in wanted))
    ended = detect(exported[0] / "saved_model", tmp_path / "wanted.jsonl", tmp_path / "found.jsonl", "--batch_size=2")
    assert (ended.code, ended.out) == (0, ""), ended.err
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert [each["file"] for each in found] == [each["file"] for each in wanted]
    assert [each.get("error") for each in found] == [
        None,
        None,
        "cannot be read: No such file or directory",
        "has 128 x 128 pixels, and no window [0, 0, 500, 90]",
        None,
    ]
    for each in (found[0], found[1], found[4]):
        assert (each["width"], each["height"]) == (128, 128)
        assert len(each["boxes"]) == len(each["classes"]) == len(each["scores"]) > 0
        assert each["scores"] == sorted(each["scores"], reverse=True)
    assert all(left + width <= 100.5 and top + height <= 90.5 for left, top, width, height in found[1]["boxes"])


@pytest.mark.parametrize(
    ("lines", "model", "says"),
    [
        (None, "saved_model", "wanted.jsonl: cannot be read"),
        ("no json\n", "saved_model", "wanted.jsonl:1: not such an object a line"),
        ('{"window": [0, 0, 1, 1]}\n', "saved_model", "wanted.jsonl:1: not such an object a line"),
        ('{"file": "a.png", "window": [0, 0, 1]}\n', "saved_model", "wanted.jsonl:1: window: write [left, top"),
        ('{"file": "a.png"}\n', "nothing", "nothing: no SavedModel of boxtune export"),
    ],
)
def test_a_wrong_request_is_one_line(
    exported: tuple[Path, Ended], tmp_path: Path, lines: str | None, model: str, says: str
) -> None:
    if lines is not None:
        (tmp_path / "wanted.jsonl").write_text(lines)
    ended = detect(exported[0] / model, tmp_path / "wanted.jsonl", tmp_path / "found.jsonl")
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.reason
    assert not (tmp_path / "found.jsonl").exists()
