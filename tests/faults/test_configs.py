"""What people's configs, label maps and records end in: each row of configs/expected.tsv by the command that it names.

A row: the case's files (small.config where there is none); the kind of records (`python records.py DIR KIND`);
the command; the exit codes that are right; words of which one must be said; an expression that must not be. A folder's
README says what its kind of fault is.
"""

from __future__ import annotations

import re
import runpy
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import messages
from tests.experiments import boxtune_here
from tests.forks import Run
from tests.trials import Ended, train_arguments
from trial_entry.contract.exit_codes import EXIT_REQUEST

CASES = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Row:
    """One thing that is tried."""

    case: str
    records: str
    command: str
    codes: str
    said: str
    unsaid: str

    @property
    def name(self) -> str:
        return f"{Path(self.case.split(',')[0]).name}-{self.records}-{self.command.replace(' ', '-')}"

    @property
    def files(self) -> list[Path]:
        return [CASES / name for name in self.case.split(",")]


ROWS = [Row(*line.split("\t")) for line in (CASES / "expected.tsv").read_text().splitlines()]


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The row's records, and its label maps in the place where the row's config has them."""
    row: Row = request.getfixturevalue("row")
    data = tmp_path / "data"
    data.mkdir()
    config = config_of(row).read_text(errors="replace")
    for file in row.files:
        if file.suffix != ".config":
            name = file.name if f'{file.name}"' in config else "label_map.pbtxt"
            shutil.copy(file, data / name)
    records()["main"](data, row.records)
    shutil.copy(config_of(row), data)
    return data


@cache
def records() -> dict[str, Any]:
    """The program that writes them."""
    return runpy.run_path(str(CASES / "records.py"))


def config_of(row: Row) -> Path:
    """The row's config."""
    return next((file for file in row.files if file.suffix == ".config"), CASES / "small.config")


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_row(row: Row, folder: Path, tmp_path: Path, forked: Run) -> None:
    done = tried(row, folder, tmp_path, forked)
    said = f"{done.out}\n{done.err}"
    assert str(done.code) in row.codes.split(","), said
    assert any(word.lower() in said.lower() for word in row.said.split("|")), said
    assert not re.search(row.unsaid, said), said
    if row.command == "train" and done.code == EXIT_REQUEST:
        compared(row, done.reason, folder)
    elif row.command.startswith(("check", "suggested")):
        compared(row, done.out or done.err, folder)


def compared(row: Row, told: str, folder: Path) -> None:
    """The row's messages with those that were reviewed."""
    name = f"configs: {row.case}, {row.records}: {row.command}"
    messages.compare(name, told, {folder: "DIR", folder.parent: "OUT", CASES: "configs"})


def tried(row: Row, folder: Path, tmp_path: Path, forked: Run) -> Ended:
    """What the row's command says."""
    config = folder / config_of(row).name
    command, *names = row.command.split()
    if command == "train":
        return forked(*train_arguments(config, tmp_path / "model", "--seed=1"))
    if command == "parameters":
        return boxtune_here("parameters", config)
    experiment = CASES / ("experiment-own-paths.yaml" if command == "check-own" else "experiment.yaml")
    if command == "suggested":
        experiment = suggested(config, names, experiment, tmp_path / "suggested.yaml")
    return boxtune_here("check", experiment, "--config", config_of(row), "--volume", f"data={folder}")


def suggested(config: Path, names: list[str], experiment: Path, path: Path) -> Path:
    """The experiment with what `boxtune parameters CONFIG NAMES --yaml` prints in the place of its parameters."""
    printed = boxtune_here("parameters", config, *names, "--yaml")
    assert printed.code == 0, printed.err
    blocks, whole = yaml.safe_load(printed.out), yaml.safe_load(experiment.read_text())
    template = whole["spec"]["trialTemplate"]
    container = template["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    whole["spec"]["parameters"] = blocks["parameters"]
    template["trialParameters"] = blocks["trialParameters"]
    kept = [text for text in container["args"] if "${trialParameters" not in text]
    container["args"] = kept + blocks["args"]
    path.write_text(yaml.safe_dump(whole, sort_keys=False))
    return path
