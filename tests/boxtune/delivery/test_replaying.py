"""Published models made again: the same numbers where they must be, and what differs said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.experiments import boxtune
from trial_entry.records.tfrecord import read_records, write_records


def published(model: Path, folder: Path, **changes: object) -> Path:
    """The reproduction.yaml of the model, published; with fields changed afterwards, which no manifest vouches for."""
    ended = boxtune("publish", model, folder, "--without-exports")
    assert ended.code == 0, ended.err
    file = folder / "1" / "reproduction.yaml"
    if changes:
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))
        for name in ("manifest.json", "claim.json"):
            (folder / "1" / name).unlink()
    return file


@pytest.mark.e2e
def test_a_deterministic_training_gives_the_same_numbers(model: Path, trained: Path, tmp_path: Path) -> None:
    """From data that have moved; the test split is measured too, where it was."""
    assert boxtune("evaluate", model, "--pictures", "0", "--resamples", "10").code == 0
    file = published(model, tmp_path / "digits")
    moved = tmp_path / "moved"
    shutil.copytree(trained / "data", moved)
    ended = boxtune("replay", file, "--out", tmp_path / "again", "--data", moved)
    assert ended.code == 0, ended.err + ended.out
    assert "the same: no metric differs" in ended.out
    lines = [line.split() for line in ended.out.splitlines() if line.startswith(("validation", "test"))]
    assert {line[0] for line in lines} == {"validation", "test"}
    assert {line[-1] for line in lines} == {"+0.0000"}
    assert str(moved) in (tmp_path / "again" / "pipeline.config").read_text()

    wrong = published(model, tmp_path / "wrong", validation={"mAP": 0.9})
    ended = boxtune("replay", wrong, "--out", tmp_path / "again")
    assert ended.code == 2
    assert "holds a training already" in ended.reason
    ended = boxtune("replay", wrong, "--out", tmp_path / "once-more")
    assert ended.code == 3
    assert "not the same, though data, versions and machine are" in ended.out


def test_what_differs_is_said(model: Path, trained: Path, tmp_path: Path) -> None:
    versions = {"python": "3.9.1", "tensorflow": "2.3.0"}
    file = published(model, tmp_path / "digits", versions=versions, validation={"mAP": 0.9})
    ended = boxtune("replay", file, "--out", tmp_path / "again")
    assert ended.code == 0, ended.err
    assert "tensorflow: was 2.3.0, is 2." in ended.out
    assert "python: was 3.9.1, is 3." in ended.out
    assert "near, not equal" in ended.out


def test_other_data_are_refused(model: Path, trained: Path, tmp_path: Path) -> None:
    file = published(model, tmp_path / "digits")
    moved = tmp_path / "moved"
    shutil.copytree(trained / "data", moved)
    write_records(moved / "train.record", list(read_records(trained / "data" / "train.record"))[1:])
    ended = boxtune("replay", file, "--out", tmp_path / "again", "--data", moved)
    assert ended.code == 2
    assert "train_input_reader: the records are not those of the published model" in ended.reason
    (moved / "train.record").unlink()
    ended = boxtune("replay", file, "--out", tmp_path / "again", "--data", moved)
    assert ended.code == 2
    assert "train.record: not here; --data DIR names the folder" in ended.reason
    assert not (tmp_path / "again").exists()


def test_what_is_no_reproduction(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "reproduction.yaml"
    for text, said in (
        ("format: 1", "no reproduction.yaml of a published model"),
        ("[", "no reproduction.yaml of a published model"),
        ("- a", "no reproduction.yaml of a published model"),
    ):
        file.write_text(text)
        ended = boxtune("replay", file)
        assert ended.code == 2
        assert said in ended.reason
        assert len(ended.err.strip().splitlines()) == 1
    assert "cannot be read" in boxtune("replay", tmp_path / "none.yaml").reason
    newer = published(model, tmp_path / "digits", format=2)
    assert "of format 2; this version of boxtune knows 1" in boxtune("replay", newer).reason
