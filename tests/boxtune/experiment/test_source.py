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
        ("1E5", 100000),
        ("-.5", -0.5),
        ("1.", 1),
        ("3.0", 3),
        ("1_000.5", 1000.5),
        ("0o17", 15),
        ("y", True),
        ("Off", False),
        ("1e400", "1e400"),
        ("._1", "._1"),
        ("1e21", 1e21),
        ("8", 8),
        ("-8", -8),
        ("0x10", 16),
        ("010", 8),
        ("08", 8),
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
        ("a: !!binary eA==", r"a.yaml:1: not valid YAML: the tag !!binary is not read"),
        ("1.5e3: x", r"a.yaml:1: not valid YAML: 1.5e3 where a name must stand; put it in quotes"),
        ("a: {{ .Values.a }}", r"a.yaml:1: not valid YAML: a mapping or list .* it is a template"),
        ("{{- if .a }}\na: 1\n{{ end }}", r"not valid YAML: .*; it is a template"),
        ('a: "x\\0y"', r"a.yaml:1: not valid YAML: a NUL character"),
        ('"x\\0y": 1', r"a.yaml:1: not valid YAML: a NUL character"),
        ("a: 1\na: 2", r'a.yaml:2: not valid YAML: "a" stands twice'),
        ("a:\n  b: 1\n c: 2", r"a.yaml:3: not valid YAML: this line does not fit the indentation"),
        ("a: b: c", r'a.yaml:1: not valid YAML: a second ":" in what began as a text'),
        ("a: 1\nb\nc: 2", r'a.yaml:3: not valid YAML: the line above is no "name: value"'),
        ("a: 1\n\tb: 2", r"a.yaml:2: not valid YAML: a tab in the indentation; write blanks"),
        ("```yaml\na: 1", r"a.yaml:1: not valid YAML: a ` of Markdown"),
        ("command: [python3, t.py, --lr=${trialParameters.lr}]", r"a.yaml:1: .* put it in quotes"),
        ("model {\n  ssd {\n  }\n}\ntrain_config: {\n}\n", r"a.yaml: is a pipeline.config; give an Experiment"),
        (BOMB, r"not valid YAML: its aliases make too much of it"),
    ],
)
def test_what_is_none_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ExperimentError, match=says):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{\n\t"a": 1,\n\t"b": [1,\t2]\n}', {"a": 1, "b": [1, 2]}),
        ("a:\tb\nc: d\t\n\ne:\t# x\n  f: 1", {"a": "b", "c": "d", "e": {"f": 1}}),
        ("a: b\tc\t# d\n", {"a": "b\tc"}),
        ("a: b\t\n  c", {"a": "b c"}),
        ("a: {\tb:\t1 }", {"a": {"b": 1}}),
    ],
)
def test_tabs_that_do_not_indent_are_blanks_as_to_kubectl(tmp_path: Path, text: str, value: object) -> None:
    assert read(tmp_path, text) == value


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    folder.mkdir()
    with pytest.raises(ExperimentError, match=r"a folder; give an Experiment$"):
        read_documents(folder)
    for file in (tmp_path / "search.yaml", folder / "experiment.yaml"):  # the nearer the better
        file.touch()
        with pytest.raises(ExperimentError, match=f"a folder; give an Experiment, such as {file}"):
            read_documents(folder)


@pytest.mark.parametrize(
    ("encoding", "says"),
    [
        ("utf-16", "a.yaml: is UTF-16, .* save it as UTF-8"),
        ("utf-16-le", "a.yaml: is UTF-16, .* save it as UTF-8"),
        ("latin-1", "a.yaml:2.*save .* as UTF-8"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, encoding: str, says: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes("kind: Experiment\n# Größe\n".encode(encoding))
    with pytest.raises(ExperimentError, match=says):
        read_documents(file)
