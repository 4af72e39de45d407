"""Annotations as people have them: every case is imported, and judged by its records, its pixels and what was said."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxtune.cli.main import run_command
from tests.boxtune.data.cases import coco, images, voc, yolo
from tests.boxtune.data.cases.parts import Fields, misplaced
from tests.boxtune.data.imported import examples, labels_of, pixel_boxes
from trial_entry.records.detection_example import DetectionExample

CASES = coco.CASES | voc.CASES | yolo.CASES | images.CASES
EXPECTED = coco.EXPECTED | voc.EXPECTED | yolo.EXPECTED | images.EXPECTED
SPLITS = {"train": "train", "val": "validation", "test": "test"}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    CASES[name](tmp_path / "case")
    expected, out = EXPECTED[name], tmp_path / "out"
    code = run_command(command(tmp_path / "case", expected["given"], out))
    said = "".join(capsys.readouterr()).splitlines()
    refusal = expected.get("error") or (expected.get("or_error") if code == 2 else None)
    if refusal:
        assert code == 2
        assert any(fits(line, refusal) for line in said), said
        assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("out")]
        return
    assert code == 0, said
    assert list(notes_missing(expected, said)) == [], said
    labels = list(labels_of(out).values())
    if expected.get("any_order"):
        assert sorted(labels) == sorted(expected["classes"])
    else:
        assert labels == expected["classes"]
    found = {example.source_id: (split, example) for split, example in examples(out)}
    if "tiling" in expected:
        judge_tiles(expected, [example for _, example in found.values()])
    else:
        judge(expected, found)


def command(case: Path, given: Fields, out: Path) -> list[str]:
    """What a user would type."""
    words = ["data", "import", str(case / (given.get("data") or given["annotations"])), "--out", str(out)]
    if "images" in given:
        words += ["--images", str(case / given["images"])]
    if "split" in given:
        words += ["--split", f"validation={given['split']}"]
    if "tile" in given:
        words += ["--tile", "x".join(map(str, given["tile"])), "--overlap", str(given["overlap"])]
    return [*words, "--processes", "1"]


def fits(line: str, refusal: Fields) -> bool:
    """Whether a line names the file, the place and the reason."""
    file, low = refusal["file"].rpartition("/")[2], line.lower()
    named = file == "*" or file in line
    return (
        named and any(at.lower() in low for at in refusal["at"]) and any(why.lower() in low for why in refusal["why"])
    )


def notes_missing(expected: Fields, said: list[str]) -> Iterator[Fields]:
    for note in expected["notes"]:
        counted = re.compile(rf"{note['what']}: {note['count']}\b")
        every = all if expected.get("every_place") else any
        if not any(
            counted.match(line)
            and every(at in line for at in note["at"])
            and any(why in line.lower() for why in lowered(note))
            for line in said
        ):
            yield note


def lowered(note: Fields) -> list[str]:
    return [why.lower() for why in note["why"]]


def judge(expected: Fields, found: dict[str, tuple[str, DetectionExample]]) -> None:
    groups = defaultdict(set)
    for name, about in expected["images"].items():
        ends = [source for source in found if name == source or name.endswith(f"/{source}")]
        assert ends, f"{name} is not among {list(found)}"
        split, example = found.pop(max(ends, key=len))
        assert [example.width, example.height] == about["size"]
        tolerance = expected.get("tolerance", 0.1) + 1e-5  # of numbers in 32 bits
        assert_same(pixel_boxes(example), about["boxes"], tolerance)
        assert misplaced(Image.open(io.BytesIO(example.encoded)), about) == []
        for flag in ("difficult", "truncated"):
            if flag in about:
                assert [int(getattr(each, flag)) for each in example.objects] == about[flag]
        if "splits" in expected:
            assert split == SPLITS[expected["splits"][name]]
        if "groups" in expected:
            groups[expected["groups"][name]].add(split)
    assert not found
    assert all(len(splits) == 1 for splits in groups.values())
    assert not groups or len(set.union(*groups.values())) == 2


def assert_same(found: list[tuple[str, float, float, float, float]], wanted: list[list[Any]], tolerance: float) -> None:
    left = list(found)
    for label, *sides in wanted:
        near = [box for box in left if box[0] == label and distance(box[1:], sides) <= tolerance]
        assert near, f"{label} {sides} is not among {found}"
        left.remove(near[0])
    assert not left


def distance(one: tuple[float, ...], other: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def judge_tiles(expected: Fields, tiles: list[DetectionExample]) -> None:
    """Tiles cover the image; each has what is visible in it; an object that a tile can hold is whole in one."""
    [about] = expected["images"].values()
    width, height = about["size"]
    covered, whole = set(), set()
    for tile in tiles:
        left, top, right, lower = map(int, Path(tile.filename).stem.split("_")[-4:])
        assert 0 <= left < right <= width
        assert 0 <= top < lower <= height
        covered |= {(x, y) for x in range(left, right) for y in range(top, lower)}
        visible = []
        for label, *box in about["boxes"]:
            cut = [
                max(box[0], left) - left,
                max(box[1], top) - top,
                min(box[2], right) - left,
                min(box[3], lower) - top,
            ]
            if cut[0] < cut[2] and cut[1] < cut[3]:
                visible.append([label, *cut])
                if cut == [box[0] - left, box[1] - top, box[2] - left, box[3] - top]:
                    whole.add((label, *box))
        assert_same(pixel_boxes(tile), visible, 0.1)
        assert (
            misplaced(Image.open(io.BytesIO(tile.encoded)), {"size": [tile.width, tile.height], "boxes": visible}) == []
        )
    assert len(covered) == width * height
    most = expected["tiling"]["whole_up_to"]
    small = {tuple(box) for box in about["boxes"] if max(box[3] - box[1], box[4] - box[2]) <= most}
    assert small
    assert small <= whole


def test_splits_are_listed(tmp_path: Path) -> None:
    CASES["split-clips"](tmp_path)
    assert run_command(command(tmp_path, EXPECTED["split-clips"]["given"], tmp_path / "out")) == 0
    with (tmp_path / "out" / "splits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert {row["group"] for row in rows} == {"clipA", "clipB", "clipC", "clipD"}
