"""Records: older files are read, unknown keys stay, nonsense is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trial_entry.contract.files import DETAILS_FILE, METRICS_FILE, TRIAL_FILE
from trial_entry.contract.json_records import from_json, to_json
from trial_entry.contract.records import (
    BoxRecord,
    BuildRecord,
    ClassRecord,
    DetailsRecord,
    Divergence,
    MetricRow,
    PictureRecord,
    Threads,
    TrialRecord,
    read_details,
    read_rows,
    read_trial,
)
from trial_entry.errors import ModelDirError

WHOLE = TrialRecord(
    assignments={"learning_rate": "0.1"},
    arguments="train --model_dir=a",
    seed=7,
    deterministic=True,
    config_digest="ab",
    data_digests={"train_input_reader": "cd"},
    num_train_examples=40,
    started=("2026-11-24T10:00:00.123456Z",),
    ended="2026-11-24T10:01:00.123456Z",
    reason="measured",
    peak_memory_mib=900,
    versions={"tensorflow": "2.21.0"},
    devices=("/physical_device:CPU:0",),
    threads=Threads(1, 2),
    steps=6,
    divergence=Divergence(1.5, 1.25, 3),
    diverged="the loss is not finite",
    others={"of_a_later_version": [1, {"a": None}]},
)


def through_json(value: object) -> object:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("record", [WHOLE, TrialRecord()])
def test_a_trial_is_read_as_it_was_written(record: TrialRecord) -> None:
    written = through_json(record.to_json())
    assert TrialRecord.from_json(written, "trial.json") == record
    assert isinstance(written, dict)
    assert "others" not in written


def test_details_are_read_as_they_were_written(tmp_path: Path) -> None:
    classes = (ClassRecord("1", 3, 0.5, 0.75, None, 0.0, (1.0, 0.5)),)
    boxes = (BoxRecord("1", (0.1, 0.2, 0.3, 0.4)), BoxRecord("2", (0.0, 0.0, 1.0, 1.0), 0.875))
    details = DetailsRecord(0.5, classes, (PictureRecord(1, "image-1.jpg", 10, 20, boxes[:1], boxes[1:]),), 12, 4)
    (tmp_path / DETAILS_FILE).write_text(json.dumps(to_json(details)))
    assert read_details(tmp_path) == details
    written = json.loads((tmp_path / DETAILS_FILE).read_text())
    assert (written["classes"][0]["mAP"], written["images"][0]["truth"][0]["class"]) == (0.5, "1")
    assert "score" not in written["images"][0]["truth"][0]


def test_a_built_case_says_that_there_was_no_error() -> None:
    assert to_json(BuildRecord({"a": "b"}, None, 5, 0.5)) == {
        "assignments": {"a": "b"}, "error": None, "weights": 5, "seconds": 0.5,
    }  # fmt: skip


def test_no_file_is_an_empty_record(tmp_path: Path) -> None:
    assert (read_trial(tmp_path), read_rows(tmp_path), read_details(tmp_path)) == (TrialRecord(), [], None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "trial.json: [] is not an object"),
        ('{"seed": "7"}', 'trial.json: seed: "7" is not a whole number'),
        ('{"seed": true}', "trial.json: seed: true is not a whole number"),
        ('{"deterministic": 1}', "trial.json: deterministic: 1 is not true or false"),
        ('{"started": "now"}', 'trial.json: started: "now" is not a list'),
        ('{"assignments": {"a": 1}}', "trial.json: assignments.a: 1 is not text"),
        ('{"divergence": {"first": "x"}}', 'trial.json: divergence: first: "x" is not a number'),
        ("{", "not readable as JSON"),
        ("\x00", "not readable as JSON"),
    ],
)
def test_nonsense_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / TRIAL_FILE).write_text(text)
    with pytest.raises(ModelDirError, match=r"\A[^\n]+\Z") as wrong:
        read_trial(tmp_path)
    assert says in str(wrong.value)


def test_a_row_that_lacks_its_step_is_named(tmp_path: Path) -> None:
    row = MetricRow(3, "2026-11-24T10:00:00.123456Z", {"mAP": 0.5, "diverged": 0})
    (tmp_path / METRICS_FILE).write_text(json.dumps([to_json(row), {"timestamp": "", "metrics": {}}]))
    with pytest.raises(ModelDirError, match=r"metrics\.json: row 2: has no step"):
        read_rows(tmp_path)
    assert from_json(MetricRow, to_json(row), "").metrics == {"mAP": 0.5, "diverged": 0.0}
