"""Real trials that run out of memory: what is as large is not tried again, until that is forgotten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.local.reading import open_run
from tests.conftest import QUICK_START
from tests.experiments import boxtune, boxtune_here, container, details, run, shell_experiment, status, write

MESSAGE = "suggestion service has reached the end"


def sizes(folder: Path, *edges: str, base: str = "128") -> Path:
    """The quick-start, searching the images' size in a grid of these edges; its base config has `base`."""
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    own = "{ height: 128 width: 128 }"
    config: dict[str, str] = config_map["data"]
    assert own in config["pipeline.config"]
    config["pipeline.config"] = config["pipeline.config"].replace(own, f"{{ height: {base} width: {base} }}")
    spec: dict[str, Any] = experiment["spec"]
    spec |= {"algorithm": {"algorithmName": "grid"}, "maxTrialCount": 9, "maxFailedTrialCount": 9}
    spec["parallelTrialCount"] = 1
    space = {"list": list(edges)}
    spec["parameters"] = [{"name": "edge", "parameterType": "discrete", "feasibleSpace": space}]
    spec["trialTemplate"]["trialParameters"] = [{"name": "edge", "reference": "edge"}]
    arguments = container(experiment)["args"]
    arguments[:] = [text for text in arguments if "${" not in text] + ["--set=image_size=${trialParameters.edge}"]
    return write(folder / "experiment.yaml", config_map, experiment)


@pytest.mark.usefixtures("little_memory")
def test_a_training_that_did_not_fit_is_left_out_with_all_that_is_as_large(digits: Path, tmp_path: Path) -> None:
    """The images' edge of 100,000 pixels asks TensorFlow for 120 GB an image."""
    file, out = sizes(tmp_path, "100000", "128", "120000"), tmp_path / "run"
    given = ("--volume", f"data={digits}", "--num-steps", "2")
    done = boxtune("run", file, *given, "--out", out, "--no-baseline")
    assert done.code == 0, done.err + done.out
    huge, small = open_run(out).trials
    assert (huge.exit_code, huge.out_of_memory, huge.forgotten) == (3, True, False)
    assert small.condition.measured
    line = (
        f"x 100000 x 100000 of ssd_mobilenet_v2_keras on: not tried again; boxtune run {out} --forget-memory tries it"
    )
    assert re.search(rf"out of memory: batch_size x image pixels from \d+ {re.escape(line)}", done.out), done.out
    assert f"{MESSAGE}: nothing that is left of its space fits in memory" in done.out
    page = tmp_path / "report.html"
    assert boxtune("report", out, "--no-evaluation", "--out", page).code == 0
    text = page.read_text()
    assert "What fits in memory" in text
    assert re.search(r"<td>ssd_mobilenet_v2_keras</td><td[^>]*>\d+ x 128 x 128 of", text)
    assert "ran out of memory" in text

    again = boxtune("run", out, *given, "--no-baseline", "--forget-memory")
    assert again.code == 0, again.err
    assert f"forgotten: that {huge.name} ran out of memory" in again.out
    found = open_run(out).trials
    assert found[0].forgotten
    assert [trial.assignments["edge"] for trial in found[2:]] == ["120000", "100000"], "neither fits here either"
    assert all(trial.out_of_memory for trial in found[2:])


@pytest.mark.e2e
@pytest.mark.usefixtures("little_memory")
def test_a_base_config_that_did_not_fit_says_what_will_not(digits: Path, tmp_path: Path) -> None:
    file, out = sizes(tmp_path, "100000", "128", base="100000"), tmp_path / "run"
    given = ("--volume", f"data={digits}", "--num-steps", "2")
    done = boxtune("run", file, *given, "--out", out, "--no-check")
    assert done.code == 0, done.err + done.out
    run = open_run(out)
    assert run.baseline is not None
    assert run.baseline.out_of_memory
    assert [trial.assignments["edge"] for trial in run.trials] == ["128"]
    again = boxtune("run", out, *given, "--forget-memory")
    assert again.code == 0, again.err
    run = open_run(out)
    assert run.baseline is not None
    assert len(run.baseline.attempts) == 2, "it is tried again"
    assert run.baseline.out_of_memory
    assert len(run.trials) == 1, "it still does not fit, and so does not what is as large"


def endless(script: str, **spec: Any) -> dict[str, Any]:
    return shell_experiment(script, **{"parallelTrialCount": 1, "maxTrialCount": 3, "maxFailedTrialCount": 2, **spec})


def test_a_trial_that_the_kernel_killed_did_not_fit(tmp_path: Path) -> None:
    """Any program's trial."""
    space = [{"name": "x", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "3"}}]
    grid = {"algorithm": {"algorithmName": "grid"}, "parameters": space}
    experiment = endless("test $X != 2 || kill -9 $$$$; echo score=$X", **grid)
    done = run(tmp_path, experiment)
    assert done.code == 0, done.err
    trials = open_run(tmp_path / "run").trials
    assert [(trial.exit_code, trial.out_of_memory) for trial in trials] == [(0, False), (-9, True), (0, False)]
    assert "out of memory: the values of 0002: not tried again; boxtune run" in done.out
    assert details(tmp_path)["0002"]["outOfMemory"] is True


def test_what_the_runner_killed_itself_says_nothing_of_memory(tmp_path: Path) -> None:
    experiment = endless("sleep 30; echo score=1", maxTrialCount=1, maxFailedTrialCount=1)
    experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["activeDeadlineSeconds"] = 1
    done = run(tmp_path, experiment)
    assert done.code == 3
    (trial,) = open_run(tmp_path / "run").trials
    assert (trial.exit_code, trial.out_of_memory) == (-9, False)
    nothing = boxtune("run", tmp_path / "run", "--forget-memory")
    assert "--forget-memory: no trial has run out of memory, so there is nothing to forget" in nothing.out
    assert '"memory-forgotten"' not in (tmp_path / "run" / "journal.jsonl").read_text()


def test_a_refused_command_forgets_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, endless("kill -9 $$$$; echo score=$X"))
    assert done.code == 3
    refused = boxtune_here("run", tmp_path / "run", "--forget-memory", "--continue", "nope")
    assert (refused.code, "nope: no trial of this run" in refused.err) == (2, True)
    assert '"memory-forgotten"' not in (tmp_path / "run" / "journal.jsonl").read_text()


def test_what_is_forgotten_no_longer_counts_as_failed(tmp_path: Path) -> None:
    """On the larger machine, a file says, the same trials fit."""
    room = tmp_path / "room"
    experiment = endless(f"test -e {room} || kill -9 $$$$; echo score=$X")
    done = run(tmp_path, experiment)
    assert done.code == 3
    assert status(tmp_path)["trialsFailed"] == 2
    room.touch()
    same = boxtune("run", tmp_path / "run")
    assert same.code == 3, "it is over"
    done = boxtune("run", tmp_path / "run", "--forget-memory")
    assert done.code == 0, done.err
    assert "forgotten: that shell-0001 and 1 more ran out of memory" in done.out
    found = status(tmp_path)
    assert (found["trialsSucceeded"], found["trialsFailed"]) == (3, 2)
    shown = boxtune_here("show", tmp_path / "run")
    assert "out of memory" not in shown.out.replace("memory ran out", "")
