"""`boxtune report` and `boxtune show`: what they say of runs in every state; the trials are small programs."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.experiments import BOXTUNE, boxtune, boxtune_here, container, shell_experiment, write
from tests.pages import Page

SPACE = [
    {
        "name": "lr",
        "parameterType": "double",
        "feasibleSpace": {"min": "1e-5", "max": "1e-3", "distribution": "logUniform"},
    },
    {"name": "kind", "parameterType": "categorical", "feasibleSpace": {"list": ["<b>plain</b>", "other"]}},
    {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}},
]


def page(run: Path, *more: str) -> Page:
    done = boxtune("report", run, *more)
    assert done.code == 0, done.err
    assert done.out.strip() == str(run / "report.html")
    return Page((run / "report.html").read_text(encoding="utf-8"))


def make(folder: Path, script: str, code: int = 0, *more: str, **spec: Any) -> Path:
    experiment = shell_experiment(script, parameters=SPACE, **spec)
    names = [str(each["name"]) for each in SPACE]
    experiment["spec"]["trialTemplate"]["trialParameters"] = [{"name": each, "reference": each} for each in names]
    container(experiment)["env"] = [{"name": each.upper(), "value": f"${{trialParameters.{each}}}"} for each in names]
    path, out = write(folder / "experiment.yaml", experiment), folder / "run"
    done = boxtune("run", path, "--out", out, *more)
    assert done.code == code, done.err + done.out
    return out


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten trials, of which the fourth fails."""
    script = "case $KATIB_TRIAL_NAME in *4) echo '<i>why</i>' >&2; exit 1;; *) echo score=$X; esac"
    return make(tmp_path_factory.mktemp("page"), script, maxTrialCount=10)


def test_the_page_has_every_trial_with_its_values(finished: Path) -> None:
    said = json.loads(boxtune_here("show", finished, "--json").out)["status"]
    rows = page(finished).tables[-1]
    assert rows[0] == ["trial", "lr", "kind", "x", "score", "time", "state"]
    assert len(rows) == 11
    for row, trial in zip(rows[1:], said["trialDetails"], strict=True):
        assigned = {each["name"]: each["value"] for each in trial["parameterAssignments"]}
        assert row[0] == trial["name"].removeprefix("shell-")
        assert row[1] == f"{float(assigned['lr']):.4g}"
        assert row[2] == assigned["kind"]  # shown as text, not as HTML
        assert row[-1].split(":")[0] == trial["condition"]
    assert rows[4][4] == "–"


def test_the_best_and_the_failures_are_named(finished: Path) -> None:
    said = json.loads(boxtune_here("show", finished, "--json").out)["status"]["currentOptimalTrial"]
    found = page(finished)
    assert said["bestTrialName"] in found.text
    assert "10 trials ended, 1 failed" in found.text
    assert {"History", "Parallel coordinates", "Each parameter alone", "Importance of the parameters"} <= set(
        found.headings
    )
    assert "Too few trials" not in found.text
    assert "Not shown: the trials are not trial_entry's" in found.text


def test_the_page_loads_nothing(finished: Path) -> None:
    page(finished)
    text = (finished / "report.html").read_text(encoding="utf-8")
    assert [each for each in Page(text).loads if not each.startswith("data:")] == []
    assert not re.search(r"@import|url\(\s*['\"]?http", text.split("<script>")[0])


def test_the_importance_finds_the_parameter_that_matters(finished: Path) -> None:
    from boxtune.local.reading import open_run
    from boxtune.report.importance import importance
    from boxtune.report.shares import importance_lines

    shares = importance(open_run(finished))
    assert shares is not None
    assert shares.parameters[0].names == ("x",)  # the trials print it
    text = page(finished).text
    assert all(f"{line[0].upper()}{line[1:]}." in text for line in importance_lines(shares))


def test_a_run_without_success_says_so(tmp_path: Path) -> None:
    out = make(tmp_path, "echo no; exit 1", 3, maxFailedTrialCount=1, maxTrialCount=4)
    found = page(out)
    assert "no trial has succeeded" in found.text
    assert "History" not in found.headings
    assert "Failed" in {row[-1].split(":")[0] for row in found.tables[-1][1:]}


def test_one_trial_is_too_few_for_plots_of_many(tmp_path: Path) -> None:
    found = page(make(tmp_path, "echo score=1", maxTrialCount=1, parallelTrialCount=1, maxFailedTrialCount=1))
    assert "History" in found.headings
    assert "Parallel coordinates" not in found.headings
    assert "Too few trials" in found.text


def test_a_page_of_a_run_that_goes_on(tmp_path: Path) -> None:
    script = "case $KATIB_TRIAL_NAME in *1) echo score=1;; *) sleep 60; esac"
    path, out = write(tmp_path / "experiment.yaml", shell_experiment(script)), tmp_path / "run"
    runner = subprocess.Popen([*BOXTUNE, "run", path, "--out", out], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while '"ended"' not in ((out / "journal.jsonl").read_text() if (out / "journal.jsonl").exists() else ""):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        states = [row[-1] for row in page(out).tables[-1][1:]]
        assert states[0] == "Succeeded"
        assert "Running" in states
    finally:
        runner.send_signal(signal.SIGINT)
        runner.wait()


def test_where_the_page_cannot_go(finished: Path, tmp_path: Path) -> None:
    done = boxtune("report", finished, "--out", tmp_path / "nowhere" / "page.html")
    assert done.code == 2
    assert "page.html: cannot be written" in done.reason
    assert boxtune("report", tmp_path).reason.endswith("boxtune run makes one")


def test_csv_has_every_digit(finished: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(boxtune_here("show", finished, "--csv").out)))
    said = json.loads(boxtune_here("show", finished, "--json").out)["status"]
    for row, trial in zip(rows, said["trialDetails"], strict=True):
        assigned = {each["name"]: each["value"] for each in trial["parameterAssignments"]}
        assert {name: row[name] for name in assigned} == assigned
        assert row["condition"] == trial["condition"]
    assert [row["trial"] for row in rows if row["best"]] == [said["currentOptimalTrial"]["bestTrialName"]]
    assert rows[3]["score"] == ""


def test_one_form_at_a_time(finished: Path) -> None:
    done = boxtune_here("show", finished, "--csv", "--json")
    assert (done.code, "name one" in done.reason) == (2, True)
