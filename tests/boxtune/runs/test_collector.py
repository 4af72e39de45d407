"""Metrics from a trial's output, as Katib's collector reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxtune.experiment.experiment import DEFAULT_FILTER
from boxtune.runs.collector import collect, collect_text, objective_values


def test_metrics_are_read_as_katib_reads_them(tmp_path: Path) -> None:
    log = tmp_path / "metrics.log"
    log.write_text(
        "2026-01-01T00:00:00.000001Z mAP=0.3\n"
        "noise about mAP: 0.9 and recall\n"
        "2026-01-01T00:00:02Z mAP=0.5 loss=1e-3\n"
        "2026-01-01T00:00:01.123456789Z mAP=0.4\n"
        "2026-01-01T00:00:03Z loss = -2.5\n"
        "other=7\n"
    )
    found = collect(log, ["mAP", "loss", "absent"], [DEFAULT_FILTER])
    assert (found["mAP"].minimum, found["mAP"].maximum, found["mAP"].latest) == ("0.3", "0.5", "0.5")
    assert (found["loss"].minimum, found["loss"].latest) == ("-2.5", "-2.5")
    assert found["absent"].value("max") is None


def test_a_nan_is_no_number(tmp_path: Path) -> None:
    log = tmp_path / "metrics.log"
    log.write_text("mAP=nan\n")
    assert collect(log, ["mAP"], [DEFAULT_FILTER])["mAP"].value("max") is None
    log.write_text("mAP: 0.3\n")
    assert collect(log, ["mAP"], [DEFAULT_FILTER]) == {}
    assert collect(tmp_path / "missing", ["mAP"], [DEFAULT_FILTER]) == {}


def test_other_filters_and_json(tmp_path: Path) -> None:
    log = tmp_path / "metrics.log"
    log.write_text("{metricName: mAP, metricValue: 0.7}\n")
    only = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"
    assert collect(log, ["mAP"], [only])["mAP"].latest == "0.7"
    log.write_text('{"timestamp": "2026-01-01T00:00:00Z", "mAP": "0.1"}\n{"timestamp": 1, "mAP": "0.2"}\n')
    found = collect(log, ["mAP"], [], "JSON")
    assert (found["mAP"].latest, found["mAP"].maximum) == ("0.1", "0.2")


@pytest.mark.parametrize(
    "line",
    ["[]", "3", "null", "[" * 100_000, "9" * 5000, '{"score": 1}', '{"other": "1"}'],
)
def test_a_json_line_that_has_no_metric_is_passed_over(line: str) -> None:
    text = f'{line}\n{{"score": "0.5"}}\n'
    assert collect_text(text, ["score"], [], "JSON")["score"].latest == "0.5"


@pytest.mark.parametrize("stamp", ["1e400", "NaN", "99999999999999999999", "-1e17", '"yesterday"', "[]"])
def test_a_time_that_is_none_counts_as_no_time(stamp: str) -> None:
    text = f'{{"score": "0.5", "timestamp": {stamp}}}\n'
    assert collect_text(text, ["score"], [], "JSON")["score"].latest == "0.5"


@pytest.mark.parametrize("strange", ["nan", "inf", "-inf", "1e999", "1_000", "٣"])
def test_what_is_not_finite_is_no_measurement(tmp_path: Path, strange: str) -> None:
    """Whichever comes first; as the latest value it stays to be seen, and counts as none."""
    for values in ([strange, "0.2", "0.4"], ["0.4", strange, "0.2"]):
        found = collect_text("".join(f"score={value}\n" for value in values), ["score"], [r"(\w+)=(\S+)"])["score"]
        assert (found.value("min"), found.value("max"), found.value("latest")) == (0.2, 0.4, float(values[-1]))
    log = tmp_path / "log"
    log.write_text(f"score=0.2\nscore={strange}\n")
    assert collect(log, ["score"], [r"(\w+)=(\S+)"])["score"].value("latest") is None
    assert objective_values(log, "score", [r"(\w+)=(\S+)"]) == (0.2,)


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    assert collect(tmp_path, ["score"], []) == {}
