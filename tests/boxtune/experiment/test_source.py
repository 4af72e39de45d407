"""YAML as Go reads it, and what of it is refused in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.source import read_documents


def read(folder: Path, text: str) -> Any:
    (folder / "a.yaml").write_text(text)
    (document,) = read_documents(folder / "a.yaml")
    return document.raw


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-4", 0.0001),
        ("1E5", 100000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("8", 8),
        ("-8", -8),
        ("0x10", 16),
        ("010", 8),
        ("08", 8.0),
        (".inf", float("inf")),
        ("10:30", "10:30"),
        ("2026-01-01", "2026-01-01"),
        ("2026-02-30", "2026-02-30"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ('"1e-4"', "1e-4"),
        ("true", True),
        ("~", None),
    ],
)
def test_a_word(tmp_path: Path, word: str, value: object) -> None:
    found = read(tmp_path, f"a: {word}")["a"]
    assert (found, type(found)) == (value, type(value))


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: !!int many", r"a.yaml:1: not valid YAML: not a int"),
        ("a: 1\nb: !!bool maybe", r"a.yaml:2: not valid YAML: not a bool"),
        ("a: " + "9" * 5000, r"a.yaml:1: not valid YAML: not a int"),
        ('a: "x\\0y"', r"a.yaml:1: not valid YAML: a NUL character"),
        ('"x\\0y": 1', r"a.yaml:1: not valid YAML: a NUL character"),
        ("a: 1\na: 2", r'a.yaml:2: not valid YAML: "a" stands twice'),
        (BOMB, r"not valid YAML: its aliases make too much of it"),
    ],
)
def test_what_is_none_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ExperimentError, match=says):
        read(tmp_path, text)


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="a folder; give an Experiment, such as"):
        read_documents(tmp_path)
