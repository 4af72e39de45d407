"""Every format: a random set that is written and imported comes out the same; what is damaged is refused in a line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from boxtune.cli.main import run_command
from boxtune.data.formats.catalogue import FORMATS
from tests.boxtune.data.annotated_sets import CLASSES, WRITERS, Set, random_set, write_images
from tests.boxtune.data.imported import examples, pixel_boxes

IMPORT = ("--processes", "1", "--split", "none")


def test_every_format_is_written_here() -> None:
    assert set(WRITERS) == set(FORMATS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", WRITERS)
def test_what_goes_in_comes_out(name: str, seed: int, tmp_path: Path) -> None:
    images = random_set(seed)
    write_images(tmp_path / "images", images)
    words = WRITERS[name](tmp_path, images)
    assert run_command(["data", "import", *words, *IMPORT, "--out", str(tmp_path / "out")]) == 0
    compare(tmp_path / "out", images)


@pytest.mark.parametrize("name", WRITERS)
def test_said_or_found_the_format_is_the_same(name: str, tmp_path: Path) -> None:
    images = random_set(7)
    write_images(tmp_path / "images", images)
    words = ["data", "import", *WRITERS[name](tmp_path, images), *IMPORT, "--out", str(tmp_path / "out")]
    assert run_command(words) == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("train-*")}
    assert run_command([*words, "--format", name]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").glob("train-*")} == first


def compare(out: Path, images: Set) -> None:
    found = {example.filename: example for _, example in examples(out)}
    assert len(found) == len(images)
    for name, each in images.items():
        example = next(found[other] for other in found if name == other or other.endswith(f"/{name}"))
        assert (example.width, example.height) == each.size
        wanted = sorted((label, *box) for label, box in each.objects)
        got = sorted(pixel_boxes(example))
        assert [label for label, *_ in got] == [label for label, *_ in wanted]
        for (_, *one), (_, *other) in zip(got, wanted, strict=True):
            assert one == pytest.approx(other, abs=0.01)
    assert {each.text for example in found.values() for each in example.objects} <= set(CLASSES)


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "tfrecord"])
def test_truncated_and_mutated_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever happened to it, an annotation file is imported, or refused in one line and nothing is left."""
    images, dice = random_set(11), random.Random(11)
    write_images(tmp_path / "images", images)
    words = ["data", "import", *WRITERS[name](tmp_path, images), *IMPORT, "--out", str(tmp_path / "out")]
    suffixes = {".json", ".xml", ".txt", ".yaml", ".csv"}
    files = [path for path in tmp_path.rglob("*") if path.suffix in suffixes and path.stat().st_size > 8]
    for number in range(40):
        file = dice.choice(files)
        whole = file.read_bytes()
        place = dice.randrange(1, len(whole))
        damaged = whole[:place] if number % 2 else whole[:place] + bytes([dice.randrange(256)]) + whole[place + 1 :]
        file.write_bytes(damaged)
        capsys.readouterr()
        code = run_command(words)
        said = capsys.readouterr().err.splitlines()
        assert code in (0, 2), said
        if code == 2:
            assert len(said) == 1
            assert not (tmp_path / "out").exists()
        elif number % 2 and file.suffix in (".json", ".xml"):
            assert damaged.rstrip() == whole.rstrip()  # only the line's end was lost
        for path in tmp_path.glob("out*"):
            _drop(path)
        file.write_bytes(whole)


def _drop(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
