"""What people's Experiments end in: each row of experiments/expected.tsv by the command that it names.

A row's columns, tabs between: the case; the command (`check`, `run`, with further arguments); the exit codes that are
right; words of which one must be said; an expression that must not be; what Katib v0.19's defaulter and validator say
of the file: accepted, refused, or `-` where it is none that they could be asked about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from boxtune.errors import EXIT_INPUT
from tests import messages
from tests.experiments import boxtune, boxtune_here

CASES = Path(__file__).parent / "experiments"


@dataclass(frozen=True)
class Row:
    """One thing that is tried."""

    case: str
    command: str
    codes: str
    said: str
    unsaid: str
    katib: str

    @property
    def name(self) -> str:
        return f"{self.case.removesuffix('.yaml')}-{self.command.replace(' ', '-')}"


ROWS = [Row(*line.split("\t")) for line in (CASES / "expected.tsv").read_text().splitlines()]


def here(case: str, folder: Path) -> Path:
    """A copy of the case that runs this folder's trainers, where it names those of an image."""
    file = CASES / case
    path = folder / file.name
    path.write_bytes(file.read_bytes().replace(b"/opt/code", str(CASES).encode()))
    return path


def test_each_case_has_a_row() -> None:
    cases = {str(file.relative_to(CASES)) for file in CASES.glob("*/*.yaml")}
    assert cases == {row.case for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_row(row: Row, tmp_path: Path) -> None:
    command, *more = row.command.split()
    out = ("--out", tmp_path / "run") if command == "run" else ()
    path = here(row.case, tmp_path)
    done = boxtune(command, path, *out, *more, folder=tmp_path) if out else boxtune_here(command, path, *more)
    said = f"{done.out}\n{done.err}"
    assert str(done.code) in row.codes.split(","), said
    assert any(word.lower() in said.lower() for word in row.said.split("|")), said
    assert not re.search(row.unsaid, said), said
    assert row.katib != "refused" or "the webhook refuses" in said
    if command == "check" or done.code == EXIT_INPUT:
        said = re.sub(r"has \d+ bytes", "has N bytes", said)  # the folder's name is in them
        messages.compare(f"experiments: {row.case}: {row.command}", said, {tmp_path: "DIR", CASES: "experiments"})
