"""Looks that `boxtune confirm` took of a test split: told by the run, by what a training wrote down, or by nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from boxtune.delivery.confirmed_looks import confirmed_looks, looks_of
from boxtune.delivery.measured_page import warnings
from boxtune.delivery.measured_record import MeasuredRecord
from boxtune.delivery.model import Model
from boxtune.delivery.record_files import write_record
from boxtune.delivery.training_record import TrainingRecord
from boxtune.local.events import FORMAT, Begun, Confirmed, Created, Event, Started
from boxtune.local.journal import JOURNAL_FILE, written_line
from boxtune.runs.confirmation import Confirmation, Sample
from boxtune.runs.trial import Role
from tests.experiments import boxtune, shell_experiment

MOMENT = "2026-01-01T00:00:00.000000Z"
FOUND = Confirmation(
    "score", True, (), Sample("shell-0001", {"shell-0001-repeat-1": 0.1, "shell-0001-repeat-2": 0.2}), None, "nothing",
    split="test", data_digest="abc", look=2,
)  # fmt: skip


def confirmed_run(folder: Path, confirmation: Confirmation) -> Path:
    """A run with this confirmation."""
    events: list[Event] = [
        Begun(time=MOMENT, experiment=shell_experiment(), config_maps={}, options={}, format=FORMAT),
        Created(time=MOMENT, trial="shell-0001", role=Role.SUGGESTED, number=0, assignments={"x": "0.5"}),
        Started(time=MOMENT, trial="shell-0001"),
    ]
    events += [
        Created(time=MOMENT, trial=name, role=Role.REPEAT, number=None, assignments={"x": "0.5"}, repeats="shell-0001")
        for name in confirmation.winner.values
    ]
    events.append(Confirmed(time=MOMENT, confirmation=confirmation))
    folder.mkdir(parents=True)
    (folder / JOURNAL_FILE).write_bytes(b"".join(written_line(event, n) for n, event in enumerate(events, 1)))
    return folder


def model_in(folder: Path) -> Model:
    """Somewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    return Model(str(folder), folder, str(folder / "ckpt-1"), folder, str(folder))


def test_the_run_that_was_trained_from_tells(tmp_path: Path) -> None:
    run, model = confirmed_run(tmp_path / "run", FOUND), model_in(tmp_path / "model")
    assert confirmed_looks(model, "abc") == 0
    write_record(TrainingRecord(str(run), "digest"), tmp_path / "model" / "training.json")
    assert confirmed_looks(model, "abc") == 2
    assert confirmed_looks(model, "other records") == 0


def test_the_run_in_which_a_trial_lies_tells(tmp_path: Path) -> None:
    run = confirmed_run(tmp_path / "run", FOUND)
    assert confirmed_looks(model_in(run / "trials" / "shell-0001" / "volumes" / "model"), "abc") == 2


def test_what_was_written_down_stands_where_the_run_is_gone(tmp_path: Path) -> None:
    data, look = looks_of(FOUND)
    record = TrainingRecord("gone", "digest", confirmed_data=data, confirmed_look=look)
    model = model_in(tmp_path / "model")
    write_record(record, tmp_path / "model" / "training.json")
    assert confirmed_looks(model, "abc") == 2


@pytest.mark.parametrize("found", [None, replace(FOUND, split="validation")])
def test_the_validation_split_is_no_look_at_the_test_split(found: Confirmation | None) -> None:
    assert looks_of(found) == ("", 0)


def test_a_damaged_run_says_nothing(tmp_path: Path) -> None:
    run = confirmed_run(tmp_path / "run", FOUND)
    (run / JOURNAL_FILE).write_bytes((run / JOURNAL_FILE).read_bytes().replace(b"abc", b"xyz"))
    assert confirmed_looks(model_in(run / "trials" / "shell-0001"), "abc") == 0


def test_looks_of_the_model_s_own_are_told_apart() -> None:
    def said(look: int, by_confirm: int) -> list[bool]:
        record = MeasuredRecord("test", "abc", 12, 12, "ckpt-1", 6, 0.5, {}, 0.9, look=look, confirm_looks=by_confirm)
        lines = list(warnings(replace(record, training_compared=True)))
        return [any("boxtune confirm has looked" in each for each in lines), any(f"look {look}" in e for e in lines)]

    assert said(1, 0) == [False, False]
    assert said(2, 1) == [True, False]
    assert said(2, 0) == [False, True]
    assert said(3, 1) == [True, True]


def test_evaluate_counts_the_look_of_confirm(model: Path) -> None:
    training = json.loads((model / "training.json").read_text())
    first = boxtune("evaluate", model, "--pictures", "0", "--resamples", "10")
    assert first.code == 0, first.err
    measured = json.loads((model / "seed-3" / "test" / "measured.json").read_text())
    assert (measured["look"], measured.get("confirm_looks", 0)) == (1, 0)
    assert "boxtune confirm" not in first.out
    told = {**training, "confirmed_data": measured["data_digest"], "confirmed_look": 1}
    (model / "training.json").write_text(json.dumps(told))
    second = boxtune("evaluate", model, "--pictures", "0", "--resamples", "10", "--again")
    assert second.code == 0, second.err
    measured = json.loads((model / "seed-3" / "test" / "measured.json").read_text())
    assert (measured["look"], measured["confirm_looks"]) == (3, 1)
    assert "note: boxtune confirm has looked at these images before" in second.out
    assert "note: This is look 3 at these images" in second.out
