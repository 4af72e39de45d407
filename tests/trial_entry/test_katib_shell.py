"""A real training inside the exact shell line that Katib's webhook builds, read as Katib's collector reads it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
import re2

from boxtune.experiment.experiment import DEFAULT_FILTER
from boxtune.experiment.shell_line import expand, wrap
from boxtune.runs.collector import collect
from tests.trials import rows, train_arguments


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_merged_output_reads_as_metrics_json(data: Path, tmp_path: Path, early_stopping: bool) -> None:
    model_dir, log = tmp_path / "model", tmp_path / "katib" / "metrics.log"
    log.parent.mkdir()
    arguments = train_arguments(
        data / "pipeline.config", model_dir, "--eval_every_n=3", "--set=learning_rate=0.01", "--set=batch_size=2"
    )
    command = wrap([sys.executable, "-m", "trial_entry", *arguments], PurePosixPath(log), early_stopping=early_stopping)
    done = subprocess.run(
        [expand(text, {}) for text in command], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), log.read_text()
    assert [file.read_text() for file in log.parent.glob("*.pid")] == ["completed\n"]
    kept = rows(model_dir)
    names = list(dict.fromkeys(name for row in kept for name in row["metrics"]))
    assert every_metric(log, names) == [(name, value) for row in kept for name, value in row["metrics"].items()]
    observation = collect(log, names, [DEFAULT_FILTER])
    for name in names:
        values = [row["metrics"][name] for row in kept if name in row["metrics"]]
        assert observation[name].value("latest") == values[-1]
        assert observation[name].value("max") == max(values)
    fatal_to_the_early_stopping_collector(log, names)


def run_expanded(command: list[str]) -> subprocess.CompletedProcess[str]:
    """As the kubelet would start it."""
    argv = [expand(text, {}) for text in command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)


def every_metric(log: Path, names: list[str]) -> list[tuple[str, float]]:
    """All that the default filter finds anywhere in the output."""
    found = []
    for line in log.read_text().splitlines():
        for match in re2.finditer(DEFAULT_FILTER, line):
            if match.group(1) in names:
                found.append((match.group(1), float(match.group(2))))
    return found


def fatal_to_the_early_stopping_collector(log: Path, names: list[str]) -> None:
    """It ends at a line that holds a metric's name and an `=` without a number."""
    for line in log.read_text().splitlines():
        if any(name in line for name in names):
            for match in re2.finditer(DEFAULT_FILTER, line):
                assert re.fullmatch(r"[+-]?\d*(\.\d+)?([Ee][+-]?\d+)?", match.group(2))
                assert match.group(2), line


def test_a_failed_training_fails_the_line(data: Path, tmp_path: Path) -> None:
    log = tmp_path / "katib" / "metrics.log"
    log.parent.mkdir()
    arguments = train_arguments(data / "pipeline.config", tmp_path / "model", "--set=learning_rate=-1")
    for early_stopping, code in ((False, 2), (True, 1)):
        command = wrap(
            [sys.executable, "-m", "trial_entry", *arguments], PurePosixPath(log), early_stopping=early_stopping
        )
        done = run_expanded(command)
        assert done.returncode == code
        assert "it must be above 0" in log.read_text().splitlines()[-1]
        assert not list(log.parent.glob("*.pid"))
