"""The quick-start's Experiment with real trainings, shortened: baseline, interruption, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import BOXTUNE, boxtune, processes_of, write

COUNTS = {"maxTrialCount": 2, "parallelTrialCount": 2, "maxFailedTrialCount": 1}


def quick_start(folder: Path, **spec: Any) -> Path:
    """The quick-start's file, with fields of `spec` replaced."""
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    experiment["spec"].update(COUNTS | spec)
    return write(folder / "experiment.yaml", config_map, experiment)


def command(path: Path, digits: Path, out: Path, *more: str) -> list[str]:
    return ["run", str(path), "--volume", f"data={digits}", "--out", str(out), *more]


def shown(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(boxtune("show", out, "--json").out)["status"]
    return found


def model(out: Path, name: str) -> Path:
    return out / "trials" / name / "volumes" / "model"


@pytest.fixture(scope="module")
def finished(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A RUN of two trials and the baseline, four steps each, of which only the best keeps its checkpoints."""
    folder = tmp_path_factory.mktemp("quick-start")
    ended = boxtune(*command(quick_start(folder), digits, folder / "run", "--num-steps", "4", "--keep", "best:1"))
    assert ended.code == 0, ended.err + ended.out
    return folder / "run", ended.out


def test_the_baseline_runs_the_base_config_s_own_values(finished: tuple[Path, str]) -> None:
    out, said = finished
    status = shown(out)
    baseline = status["baseline"]
    assert {each["name"]: each["value"] for each in baseline["parameterAssignments"]} == {
        "learning_rate": "0.001",
        "batch_size": "16",
        "nms_iou_threshold": "0.6",
    }
    assert baseline["condition"] == "Succeeded"
    assert status["trials"] == 2  # it does not count
    assert "the base config's own values" in said
    assert (model(out, "quick-start-baseline") / "pipeline.config").is_file()


def test_a_shortened_run_has_its_steps_and_a_schedule_to_match(finished: tuple[Path, str]) -> None:
    out, _ = finished
    for trial in shown(out)["trialDetails"]:
        config = (model(out, trial["name"]) / "pipeline.config").read_text()
        assert "num_steps: 4" in config
        assert "total_steps: 4" in config


def test_metrics_are_those_that_the_trial_wrote(finished: tuple[Path, str]) -> None:
    out, _ = finished
    for trial in shown(out)["trialDetails"]:
        row = json.loads((model(out, trial["name"]) / "metrics.json").read_text())[-1]
        observed = {metric["name"]: float(metric["latest"]) for metric in trial["observation"]["metrics"]}
        assert observed == {name: row["metrics"][name] for name in observed}


def test_only_the_best_and_the_baseline_keep_their_checkpoints(finished: tuple[Path, str]) -> None:
    out, said = finished
    best = shown(out)["currentOptimalTrial"]["bestTrialName"]
    kept = {folder.name for folder in (out / "trials").iterdir() if list(folder.rglob("ckpt-*"))}
    assert kept == {best, "quick-start-baseline"}
    for name in ("quick-start-0001", "quick-start-0002"):
        assert (model(out, name) / "metrics.json").is_file()
        assert (out / "trials" / name / "metrics.log").is_file()
    assert f"its pipeline.config: {model(out, best)}/pipeline.config" in said


def test_killed_while_training_it_goes_on_from_the_checkpoints(digits: Path, tmp_path: Path) -> None:
    """The runner and all its group, by SIGKILL; then the same command at once."""
    path, out = quick_start(tmp_path, maxTrialCount=1, parallelTrialCount=1), tmp_path / "run"
    experiment = yaml.safe_load(path.read_text())
    pod = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["containers"][0]["args"].append("--checkpoint_every_n=2")
    path.write_text(yaml.safe_dump(experiment))
    arguments = command(path, digits, out, "--num-steps", "60", "--no-baseline")
    runner = subprocess.Popen(
        [*BOXTUNE, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    state = model(out, "quick-start-0001") / "trial.json"
    deadline = time.monotonic() + 120
    while not (state.exists() and json.loads(state.read_text()).get("steps", 0) >= 4):
        assert runner.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    ended = boxtune(*arguments)
    assert ended.code == 0, ended.err + ended.out
    assert not processes_of(["trial_entry", str(out)])
    said = json.loads(state.read_text())
    assert (said["steps"], len(said["started"]), said["reason"]) == (60, 2, "measured")
    log = (out / "trials" / "quick-start-0001" / "metrics.log").read_text()
    assert "going on from step" in log
    assert "in use by process" not in log
    assert len(json.loads((state.parent / "metrics.json").read_text())) == 1


def test_a_wrong_data_folder_fails_the_trials_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = boxtune(*command(quick_start(tmp_path), tmp_path / "empty", tmp_path / "run"))
    assert ended.code == 3
    assert "the request is wrong" in ended.reason
    assert "no such file" in ended.reason


def test_random_search_is_as_the_mission_says() -> None:
    """And loads: what it searches, on which scale, and that the ConfigMap is found."""
    from boxtune.experiment.loading import load_experiment

    loaded = load_experiment(EXPERIMENTS / "random-search.yaml")
    space = {spec.name: spec for spec in loaded.parameters}
    assert (space["learning_rate"].low, space["learning_rate"].high) == (1e-5, 1e-3)
    assert space["learning_rate"].distribution == "logUniform"
    assert space["batch_size"].values == ("8", "16", "32", "64")
    assert (space["nms_iou_threshold"].low, space["nms_iou_threshold"].high) == (0.4, 0.7)
    assert [list(data) for data in loaded.config_maps.values()] == [["pipeline.config"]]
