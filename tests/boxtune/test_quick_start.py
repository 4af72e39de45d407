"""The quick-start's Experiment with real trainings, shortened: baseline, interruption, what is kept."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.delivery.rendering import rendered_config
from boxtune.errors import InputError
from boxtune.local.reading import open_run
from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import BOXTUNE, boxtune, boxtune_here, processes_of, write
from tests.made_once import made_once

STATUSES = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]
COUNTS = {"maxTrialCount": 2, "parallelTrialCount": 2, "maxFailedTrialCount": 1}


def quick_start(folder: Path, **spec: Any) -> Path:
    """The quick-start's file, with fields of `spec` replaced."""
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    experiment["spec"].update(COUNTS | spec)
    return write(folder / "experiment.yaml", config_map, experiment)


def command(path: Path, digits: Path, out: Path, *more: str) -> list[str]:
    return ["run", str(path), "--volume", f"data={digits}", "--out", str(out), *more]


def shown(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(boxtune_here("show", out, "--json").out)["status"]
    return found


def model(out: Path, name: str) -> Path:
    return out / "trials" / name / "volumes" / "model"


@pytest.fixture(scope="module")
def finished(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A RUN of two trials and the baseline, four steps each, of which only the best keeps its checkpoints."""

    def make(folder: Path) -> None:
        ended = boxtune(*command(quick_start(folder), digits, folder / "run", "--num-steps", "4", "--keep", "best:1"))
        assert ended.code == 0, ended.err + ended.out
        (folder / "said").write_text(ended.out)

    folder = made_once(tmp_path_factory, "quick-start", make)
    return folder / "run", (folder / "said").read_text()


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


def test_best_writes_the_config_that_the_best_trial_ran(finished: tuple[Path, str], tmp_path: Path) -> None:
    out, _ = finished
    best = shown(out)["currentOptimalTrial"]["bestTrialName"]
    file = tmp_path / "pipeline.config"
    assert boxtune("best", out, "--out", file).code == 0
    assert file.read_text() == (model(out, best) / "pipeline.config").read_text()
    assert boxtune("best", out).out == file.read_text()


def test_the_best_config_of_a_cluster_s_run_is_rendered_from_its_assignments(
    finished: tuple[Path, str], digits: Path
) -> None:
    """As a run whose trials left no folder: the same config, but for the length, which `--num-steps` had changed."""
    out, _ = finished
    run = open_run(out)
    best = run.optimal
    assert best is not None
    with pytest.raises(InputError, match="--volume NAME"):  # epochs: the records must be counted
        rendered_config(run, best, {})
    rendered = rendered_config(run, best, {"data": digits})
    ran = (model(out, best.name) / "pipeline.config").read_text()
    lengths = ("num_steps:", "total_steps:", "warmup_steps:")
    left, right = (
        [line for line in text.splitlines() if not line.strip().startswith(lengths)] for text in (rendered, ran)
    )
    assert left == right
    assert rendered != ran


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
    config_map, experiment = yaml.safe_load_all(path.read_text())
    pod = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["containers"][0]["args"].append("--checkpoint_every_n=2")
    write(path, config_map, experiment)
    arguments = command(path, digits, out, "--num-steps", "30", "--no-baseline")
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
    assert (said["steps"], len(said["started"]), said["reason"]) == (30, 2, "measured")
    log = (out / "trials" / "quick-start-0001" / "metrics.log").read_text()
    assert "going on from step" in log
    assert "in use by process" not in log
    assert len(json.loads((state.parent / "metrics.json").read_text())) == 1


def test_what_every_trial_would_fail_on_is_refused_before_the_first(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = boxtune(*command(quick_start(tmp_path), tmp_path / "empty", tmp_path / "run"))
    assert ended.code == 2
    assert "no such file" in ended.reason
    config_map, experiment = yaml.safe_load_all(quick_start(tmp_path).read_text())
    experiment["spec"]["parameters"][2]["feasibleSpace"]["max"] = "1.5"
    ended = boxtune(*command(write(tmp_path / "wide.yaml", config_map, experiment), digits, tmp_path / "run"))
    assert ended.code == 2
    assert "1.5 is out of range; it must be from 0 to 1" in ended.reason
    assert not (tmp_path / "run").exists()


def test_a_wrong_data_folder_fails_the_trials_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = boxtune(*command(quick_start(tmp_path), tmp_path / "empty", tmp_path / "run", "--no-check"))
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


def test_the_report_evaluates_the_best_trial_again(finished: tuple[Path, str], tmp_path: Path) -> None:
    """Its numbers are those that the trial printed; its pictures lie in the page."""
    out, _ = finished
    done = boxtune("report", out, "--out", tmp_path / "page.html", "--pictures", "3")
    assert done.code == 0, done.err
    text = (tmp_path / "page.html").read_text()
    best = shown(out)["currentOptimalTrial"]
    details = model(out, best["bestTrialName"]) / "details"
    again = json.loads((details / "evaluation.json").read_text())["metrics"]
    said = {each["name"]: float(each["latest"]) for each in best["observation"]["metrics"]}
    assert {name: again[name] for name in said} == pytest.approx(said)
    assert text.count("data:image/jpeg;base64,") == 3
    assert "evaluated again on 12 images" in text
    assert "--- base config" in text
    assert "python -m object_detection.model_main_tf2 --pipeline_config_path=" in text
    written = (details / "evaluation.json").stat().st_mtime_ns
    assert "evaluating" not in boxtune("report", out, "--out", tmp_path / "page.html", "--pictures", "3").err
    assert (details / "evaluation.json").stat().st_mtime_ns == written


def test_tensorboard_s_hparams_page_shows_the_same_trials(finished: tuple[Path, str], tmp_path: Path) -> None:
    """By TensorBoard's own server, over RUN."""
    out, _ = finished
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", f"--logdir={out}", f"--port={port}", "--load_fast=false"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        groups = sessions(f"http://127.0.0.1:{port}", 3)
    finally:
        server.terminate()
        server.wait()
    status = shown(out)
    for trial in [status["baseline"], *status["trialDetails"]]:
        (group,) = [one for one in groups if one["sessions"][0]["name"].startswith(f"trials/{trial['name']}/")]
        assigned = {each["name"]: float(each["value"]) for each in trial["parameterAssignments"]}
        assert {name: group["hparams"][name] for name in assigned} == assigned
        values = {each["name"]["tag"]: each["value"] for each in group["metricValues"]}
        said = {each["name"]: float(each["latest"]) for each in trial["observation"]["metrics"]}
        assert {name: values[name] for name in said} == pytest.approx(said, rel=1e-5)  # float32 there


def sessions(address: str, expected: int) -> list[dict[str, Any]]:
    """TensorBoard's session groups, once it has read as many as are expected."""
    body = json.dumps({"startIndex": 0, "sliceSize": 100, "allowedStatuses": STATUSES, "colParams": []}).encode()
    request = urllib.request.Request(
        f"{address}/data/plugin/hparams/session_groups", body, {"content-type": "application/json"}
    )
    deadline = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                groups: list[dict[str, Any]] = json.load(answer).get("sessionGroups", [])
        except OSError:
            groups = []
        if len(groups) == expected and all(group.get("metricValues") for group in groups):
            return groups
        assert time.monotonic() < deadline, groups
        time.sleep(0.5)
