"""`boxtune dashboard`: optuna-dashboard's own server over a run that goes on, which it leaves as it is."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boxtune.local.events import FORMAT, Begun, Created, Ended, Event, Started
from boxtune.local.journal import JOURNAL_FILE, written_line
from boxtune.runs.trial import Condition, Metric, Role
from tests.boxtune.dashboard.serving import Dashboard, attributes, dashboard
from tests.experiments import BOXTUNE, boxtune, run, shell_experiment, status, write

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
MOMENT = "2026-01-01T00:00:00.000000Z"
OBJECTIVE = {"type": "minimize", "objectiveMetricName": "loss", "additionalMetricNames": ["size"]}
SCRIPT = "echo loss=$X; echo size=7; test $KATIB_TRIAL_NAME != shell-0002"


def searched(tmp_path: Path, trials: int) -> None:
    """A search of so many trials, the second of which fails; goes on where there is one."""
    done = run(tmp_path, shell_experiment(SCRIPT, objective=OBJECTIVE, maxTrialCount=trials, maxFailedTrialCount=3))
    assert done.code == 0, done.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a search of four trials."""
    folder = tmp_path_factory.mktemp("dashboard")
    searched(folder, 4)
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path) -> Iterator[Dashboard]:
    """Its dashboard."""
    with dashboard(folder / "run") as found:
        yield found


def kept(run: Path) -> dict[str, str]:
    """What a folder holds."""
    return {
        str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(run.rglob("*"))
        if file.is_file()
    }


def test_it_answers_with_what_show_says(folder: Path, opened: Dashboard) -> None:
    found, told = opened.study(), status(folder)
    assert found["name"] == "shell"
    assert found["directions"] == ["minimize"]
    assert found["objective_names"] == ["loss"]
    trials = {attributes(each)["name"]: each for each in found["trials"]}
    assert list(trials) == [f"shell-{number:04d}" for number in range(1, 5)]
    assert [each["number"] for each in trials.values()] == [1, 2, 3, 4]  # as their names say
    for shown in told["trialDetails"]:
        trial = trials[shown["name"]]
        (assigned,) = shown["parameterAssignments"]
        (parameter,) = trial["params"]
        assert (parameter["name"], float(parameter["param_external_value"])) == ("x", float(assigned["value"]))
        assert (parameter["distribution"]["low"], parameter["distribution"]["high"]) == (0.0, 1.0)
        if shown["name"] == "shell-0002":
            assert trial["state"] == "Fail"
            assert "values" not in trial
            assert attributes(trial)["reason"]
        else:
            assert trial["state"] == "Complete"
            assert trial["values"] == [float(assigned["value"])]
            assert attributes(trial)["size"] == "7.0"
    (best,) = found["best_trials"]
    assert attributes(best)["name"] == told["currentOptimalTrial"]["bestTrialName"]
    assert attributes(found)["best"].startswith(attributes(best)["name"])
    assert attributes(found)["state"].startswith("Succeeded: ")


def test_the_address_leads_to_the_run_and_the_page_is_whole(opened: Dashboard) -> None:
    page = opened.ask("")
    assert (page.status, b'src="/static/bundle.js"' in page.body) == (200, True)
    assert len(opened.ask("static/bundle.js").body) > 2**20
    assert opened.ask("csv/1").body.decode().splitlines()[0].startswith("Number,State,loss,Param x")
    assert opened.ask("api/studies/1/param_importances").status == 200
    assert opened.ask("api/studies/1/plot/slice").status == 200
    assert opened.ask("api/studies/9").status == 404
    assert opened.ask("api/studies/1?after=word").status == 500
    assert "Traceback" not in opened.said.read_text()
    assert "File " not in opened.said.read_text()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "api/studies/1"),
        ("POST", "api/studies"),
        ("POST", "api/studies/1/rename"),
        ("PUT", "api/studies/1/note"),
        ("PUT", "api/studies/1/11/note"),
        ("POST", "api/trials/11/tell"),
        ("POST", "api/trials/11/user-attrs"),
        ("POST", "api/artifacts/1/11"),
        ("PATCH", "api/studies/1"),
    ],
)
def test_a_write_is_refused_and_changes_nothing(folder: Path, opened: Dashboard, method: str, path: str) -> None:
    before, study = kept(folder / "run"), opened.study()
    body = {"study_name": "new", "directions": ["minimize"], "version": 1, "body": "text", "state": "Fail"}
    refused = opened.ask(path, method, {**body, "user_attrs": {"a": 1}, "dst_study_name": "new"})
    assert refused.status == 403
    assert refused.json == {"reason": "a run is shown here, not changed"}
    assert kept(folder / "run") == before
    assert opened.study() == study
    assert "Traceback" not in opened.said.read_text()


def test_a_search_that_goes_on_is_seen(tmp_path: Path) -> None:
    searched(tmp_path, 3)
    with dashboard(tmp_path / "run") as opened:
        assert len(opened.study()["trials"]) == 3
        searched(tmp_path, 6)
        opened.wait_for(lambda: len(opened.study()["trials"]) == 6)
        told = status(tmp_path)["currentOptimalTrial"]["bestTrialName"]
        assert attributes(opened.study()["best_trials"][0])["name"] == told
        assert opened.interrupt() == 0
        assert opened.said.read_text() == ""


def test_a_running_trial_is_shown_running(tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    script = f"touch {begun}; while [ ! -e {go} ]; do sleep 0.1; done; echo score=$X"
    path = write(tmp_path / "experiment.yaml", shell_experiment(script, maxTrialCount=2))
    process = subprocess.Popen([*BOXTUNE, "run", str(path), "--out", str(tmp_path / "run")], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 100
        while not begun.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with dashboard(tmp_path / "run") as opened:
            opened.wait_for(lambda: [each["state"] for each in opened.study()["trials"]] == ["Running"] * 2)
            assert all("values" not in each and each["params"] for each in opened.study()["trials"])
            assert opened.study()["best_trials"] == []
            go.touch()
            opened.wait_for(lambda: [each["state"] for each in opened.study()["trials"]] == ["Complete"] * 2)
    finally:
        go.touch()
        process.wait(timeout=100)


def test_a_damaged_journal_is_said_on_the_page_and_in_one_line(tmp_path: Path) -> None:
    searched(tmp_path, 3)
    journal = tmp_path / "run" / JOURNAL_FILE
    whole = journal.read_bytes()
    with dashboard(tmp_path / "run") as opened:
        journal.write_bytes(whole.replace(b'"shell-0001"', b'"shell-0007"', 1))
        for _ in range(3):
            for path in ("api/studies", "api/studies/1", "csv/1"):
                answer = opened.ask(path)
                assert answer.status == 503
                assert re.search(r"journal\.jsonl:\d+: damaged: its checksum does not match", answer.json["reason"])
        journal.unlink()
        assert "no run lies here" in opened.ask("api/studies/1").json["reason"]
        journal.write_bytes(whole + b'{"event":"started","ti')  # a line that is being written
        assert len(opened.study()["trials"]) == 3
        said = opened.said.read_text().splitlines()
        assert len(said) == 3, said
        assert said[-1] == "the run can be read again"


def journal_of(trials: int, folder: Path) -> Path:
    """A run of so many trials, as its journal has them."""
    metric = Metric("score", "0.1", "0.9", "0.5")
    events: list[Event] = [
        Begun(time=MOMENT, experiment=shell_experiment(maxTrialCount=trials), config_maps={}, options={}, format=FORMAT)
    ]
    for number in range(trials):
        name = f"shell-{number + 1:04d}"
        created = Created(time=MOMENT, trial=name, role=Role.SUGGESTED, number=number,
                          assignments={"x": str(number / trials)})  # fmt: skip
        ended = Ended(time=MOMENT, trial=name, condition=Condition.SUCCEEDED, reason="", exit_code=0, seconds=1.0,
                      observation=(metric,), first_values=(0.1, 0.5))  # fmt: skip
        events += [created, Started(time=MOMENT, trial=name), ended]
    folder.mkdir()
    (folder / JOURNAL_FILE).write_bytes(b"".join(written_line(event, n) for n, event in enumerate(events, 1)))
    return folder


def test_a_thousand_trials_answer_soon(tmp_path: Path) -> None:
    begun = time.monotonic()
    with dashboard(journal_of(1000, tmp_path / "run")) as opened:
        seconds = {"until it answers": time.monotonic() - begun}
        for path in ("api/studies/1", "api/studies/1", "csv/1", "api/studies/1/param_importances"):
            begun = time.monotonic()
            answer = opened.ask(path)
            seconds[f"{path}, {len(answer.body) / 2**20:.2f} MiB"] = time.monotonic() - begun
            assert answer.status == 200
        assert len(opened.study()["trials"]) == 1000
    print({name: round(each, 3) for name, each in seconds.items()})
    assert max(seconds.values()) < 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-here/"], "no run lies here"),
        (["{run}", "--port", "{taken}"], "something else answers there; name another, or 0 for any free one"),
        (["{run}", "--port", "70000"], "less than or equal to 65535"),
        (["{run}", "--host", "no.such.host.invalid"], "name one of this machine's addresses"),
        (["{run}", "--host", "192.0.2.1", "--port", "0"], "name one of this machine's addresses"),
    ],
)
def test_what_cannot_be_served_is_one_line(folder: Path, arguments: list[str], said: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        values: dict[str, Any] = {"run": folder / "run", "taken": taken.getsockname()[1]}
        refused = boxtune("dashboard", *(each.format(**values) for each in arguments), folder=folder)
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1
    assert said in refused.err


def test_without_optuna_dashboard_its_extra_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "optuna_dashboard.py").write_text("raise ImportError")
    path = f"{tmp_path}{os.pathsep}{Path.cwd()}"
    refused = boxtune("dashboard", folder / "run", folder=tmp_path, PYTHONPATH=path)
    assert refused.code == 2
    assert refused.err.splitlines() == [
        "boxtune: optuna-dashboard is not installed; install it with: pip install 'boxtune[dashboard]'"
    ]


def drawn(address: str, tmp_path: Path) -> str:
    """The page as a browser has it once its programs have run."""
    command = [
        str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=20000", "--window-size=1280,1600", "--dump-dom", address,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    return done.stdout


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
def test_a_browser_sees_the_trials_and_the_best_value(folder: Path, opened: Dashboard, tmp_path: Path) -> None:
    page = drawn(opened.address, tmp_path)
    (best,) = opened.study()["best_trials"]
    assert f"Best Trial (number={best['number']})" in page
    assert str(best["values"][0]) in page
    assert len(re.findall(r'class="main-svg"', page)) >= 3
    listed = drawn(f"{opened.address}dashboard/studies/1/trials", tmp_path)
    assert re.findall(r"Trial \d", listed)[:4] == ["Trial 1", "Trial 2", "Trial 3", "Trial 4"]
    assert ">Fail<" in listed
