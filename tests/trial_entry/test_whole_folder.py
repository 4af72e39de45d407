"""A folder is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from trial_entry.errors import ModelDirError
from trial_entry.whole_folder import whole_folder


def write(place: Path, text: str) -> None:
    with whole_folder(place, "mark", "--out") as (folder, publish):
        (folder / "mark").write_text(text)
        publish()


def test_a_folder_appears_when_it_is_published_and_replaces_one_of_its_kind(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b", "first")
    (tmp_path / "a" / "b" / "old").touch()
    write(tmp_path / "a" / "b", "second")
    assert [each.name for each in (tmp_path / "a" / "b").iterdir()] == ["mark"]
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_one_that_was_not_published(tmp_path: Path, error: type[BaseException]) -> None:
    write(tmp_path / "kept", "first")

    def fail() -> None:
        with whole_folder(tmp_path / "kept", "mark", "--out") as (folder, _):
            (folder / "mark").write_text("second")
            raise error

    with pytest.raises(error):
        fail()
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "mark").read_text() == "first"


def test_what_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    (tmp_path / "file").touch()
    for name in ("photos", "file"):
        with pytest.raises(ModelDirError, match="is there already and has no mark; name a new folder"):
            write(tmp_path / name, "")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "first")
    with pytest.raises(ModelDirError, match="cannot be written"):
        write(tmp_path / "file" / "below", "")
