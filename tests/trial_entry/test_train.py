"""The contract of `python -m trial_entry train`, by real trainings."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import CONFIGS, write_config
from tests.forks import Run
from tests.made_once import made_once
from tests.trials import Ended, Running, rows, run, train_arguments, trial

NAMES = {"mAP", "mAP_50", "mAP_75", "AR_1", "AR_10", "AR_100", "precision", "recall", "total_loss", "diverged"}


@pytest.fixture(scope="module")
def finished(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A model_dir after six steps, evaluated every three, and what the trial printed."""

    def make(folder: Path) -> None:
        for file in digits.iterdir():
            os.link(file, folder / file.name)
        options = ("--set=learning_rate=0.02", "--eval_every_n=3", "--seed=7")
        ended = run(*train_arguments(write_config(folder), folder / "model", *options))
        (folder / "ended.json").write_text(json.dumps(dataclasses.asdict(ended)))

    folder = made_once(tmp_path_factory, "finished", make)
    return folder / "model", Ended(**json.loads((folder / "ended.json").read_text()))


def test_a_trial_prints_metrics_and_nothing_else(finished: tuple[Path, Ended]) -> None:
    _, ended = finished
    assert ended.code == 0, ended.err
    metrics = ended.metrics  # parses every line
    assert {name for _, name, _ in metrics} >= NAMES
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for _, name, _ in metrics)
    times = [datetime.fromisoformat(timestamp) for timestamp, _, _ in metrics]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert all(0 <= value < float("inf") for _, _, value in metrics)
    assert "=" not in ended.err


def test_the_lines_are_the_rows_of_metrics_json(finished: tuple[Path, Ended]) -> None:
    model_dir, ended = finished
    kept = rows(model_dir)
    assert [row["step"] for row in kept] == [3, 6]
    assert [(name, value) for _, name, value in ended.metrics] == [
        item for row in kept for item in row["metrics"].items()
    ]
    assert [row["timestamp"] for row in kept] == [time for time, name, _ in ended.metrics if name == "mAP"]


def test_trial_json_says_what_ran(finished: tuple[Path, Ended]) -> None:
    said = trial(finished[0])
    assert said["assignments"] == {"learning_rate": "0.02"}
    assert (said["seed"], said["reason"], said["steps"], said["num_train_examples"]) == (7, "measured", 6, 40)
    assert said["versions"]["tensorflow"]
    assert set(said["data_digests"]) == {"train_input_reader", "eval_input_reader.0"}
    assert re.fullmatch("[0-9a-f]{64}", said["config_digest"])


def test_the_rendered_config_stands_in_the_model_dir(finished: tuple[Path, Ended]) -> None:
    text = (finished[0] / "pipeline.config").read_text()
    assert "learning_rate_base: 0.02" in text
    assert re.search(r'input_path: "/.*/train.record"', text)


def test_last_and_best_checkpoints_are_kept(finished: tuple[Path, Ended]) -> None:
    model_dir, _ = finished
    best = max(rows(model_dir), key=lambda row: row["metrics"]["mAP"])["step"]
    assert {file.stem.split(".")[0] for file in model_dir.glob("ckpt-*")} == {"ckpt-6"}
    assert {file.stem.split(".")[0] for file in (model_dir / "best").glob("ckpt-*")} == {f"ckpt-{best}"}


def test_tensorboard_gets_scalars_and_hparams(finished: tuple[Path, Ended]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    evaluation = EventAccumulator(str(finished[0] / "eval")).Reload()
    assert {"mAP", "precision", "_hparams_/session_start_info"} <= set(evaluation.summary_metadata)
    training = EventAccumulator(str(finished[0] / "train")).Reload()
    assert {"Loss/total_loss", "learning_rate"} <= set(training.Tags()["tensors"])


def copied(finished: tuple[Path, Ended], folder: Path) -> tuple[Path, Path]:
    """The config, and a copy of the model_dir for those who lock it."""
    model_dir = finished[0]
    return model_dir.parent / "pipeline.config", Path(shutil.copytree(model_dir, folder / "model"))


def test_the_same_command_again_prints_the_same_lines_at_once(finished: tuple[Path, Ended], tmp_path: Path) -> None:
    first, (config, model_dir) = finished[1], copied(finished, tmp_path)
    same = train_arguments(config, model_dir, "--set=learning_rate=0.02", "--eval_every_n=3", "--seed=7")
    again = run(*same, PYTHONPROFILEIMPORTTIME="1")
    assert (again.code, again.out) == (0, first.out)
    assert not re.search(r"\| +tensorflow$", again.err, re.MULTILINE)
    assert len(trial(model_dir)["started"]) == 1, "what is recorded of the training stays"


def test_another_config_is_refused_and_nothing_is_lost(finished: tuple[Path, Ended], tmp_path: Path) -> None:
    config, model_dir = copied(finished, tmp_path)
    before = rows(model_dir)
    ended = run(*train_arguments(config, model_dir, "--set=learning_rate=0.01"))
    assert ended.code == 2
    assert "another config has run here" in ended.reason
    assert "learning_rate_base: 0.02" in ended.reason
    assert rows(model_dir) == before


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.e2e), signal.SIGKILL])
def test_stopped_at_any_moment_the_end_is_as_if_nothing_had_happened(
    data: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Stopped while importing, building, training, at an evaluation, and near the end."""
    model_dir = tmp_path / "model"
    config = data / "pipeline.config"
    arguments = train_arguments(
        config, model_dir, "--set=num_steps=24", "--eval_every_n=8", "--checkpoint_every_n=2", "--set=batch_size=2"
    )
    moments = {
        "importing": (model_dir / "trial.json").exists,
        "built": (model_dir / "ckpt-0.index").exists,
        "training": lambda: trial(model_dir).get("steps", 0) >= 4,
        "measured": lambda: (model_dir / "metrics.json").exists() and rows(model_dir)[-1]["step"] >= 8,
        "going on": lambda: trial(model_dir).get("steps", 0) >= 20,
    }
    printed = ""
    for name, moment in moments.items():
        process = Running(*arguments)
        process.wait_for(moment)
        ended = process.kill(number)
        if ended.code == 0:  # it was faster than the signal
            assert name == "going on"
            break
        assert ended.code == (143 if number == signal.SIGTERM else -number), ended.err
        if number == signal.SIGTERM:
            assert "stopped by SIGTERM" in ended.reason
            assert trial(model_dir)["reason"] == ended.reason
        assert ended.out.startswith(printed)
        printed = ended.out
    ended = run(*arguments)
    assert ended.code == 0, ended.err
    assert ended.out.startswith(printed)
    assert [row["step"] for row in rows(model_dir)] == [8, 16, 24]
    assert len([1 for _, metric, _ in ended.metrics if metric == "mAP"]) == 3
    assert trial(model_dir)["steps"] == 24


def test_stop_ends_the_trial_of_a_model_dir(data: Path, tmp_path: Path) -> None:
    model_dir = tmp_path / "model"
    arguments = train_arguments(data / "pipeline.config", model_dir, "--set=num_steps=2000", "--checkpoint_every_n=5")
    process = Running(*arguments)
    process.wait_for((model_dir / "ckpt-5.index").exists)
    second = run(*arguments)
    assert second.code == 2
    assert f"in use by process {process.process.pid}" in second.reason
    stopped = run("stop", f"--model_dir={model_dir}")
    assert stopped.code == 0, stopped.err
    assert process.process.wait(timeout=10) == 143
    assert "no trial is running" in run("stop", f"--model_dir={model_dir}").err
    assert run("stop", f"--model_dir={tmp_path / 'nowhere'}").code == 2


def test_a_diverged_training_measures_its_last_finite_checkpoint(data: Path, tmp_path: Path, forked: Run) -> None:
    model_dir = tmp_path / "model"
    arguments = train_arguments(
        data / "pipeline.config", model_dir, "--set=learning_rate=1e8", "--set=num_steps=40", "--divergence_steps=5"
    )
    ended = forked(*arguments)
    assert ended.code == 0, ended.err
    values = {name: value for _, name, value in ended.metrics}
    assert values["diverged"] == 1
    assert 0 <= values["mAP"] <= 1
    assert [row["step"] for row in rows(model_dir)] == [0]
    assert "diverged" in trial(model_dir)
    again = run(*arguments)
    assert (again.code, again.out) == (0, ended.out)


def test_num_train_steps_stops_early_under_an_unchanged_schedule(data: Path, tmp_path: Path, forked: Run) -> None:
    """And a larger number afterwards goes on."""
    config = data / "pipeline.config"
    for steps in (2, 4):
        assert forked(*train_arguments(config, tmp_path / "model", f"--num_train_steps={steps}")).code == 0
    assert [row["step"] for row in rows(tmp_path / "model")] == [2, 4]
    assert "total_steps: 6" in (tmp_path / "model" / "pipeline.config").read_text()


@pytest.mark.e2e
def test_deterministic_trials_of_one_seed_are_equal(data: Path, tmp_path: Path, forked: Run) -> None:
    """A started one and a forked one."""
    measured = []
    for name, trial_of in (("a", run), ("b", forked)):
        options = ("--deterministic", "--seed=3", "--set=augmentation.ssd_random_crop=true")
        arguments = train_arguments(data / "pipeline.config", tmp_path / name, *options)
        assert trial_of(*arguments).code == 0
        metrics = rows(tmp_path / name)[-1]["metrics"]
        metrics.pop("train_steps_per_second")
        measured.append(metrics)
    assert measured[0] == measured[1]


def test_faster_rcnn_trains_and_is_measured(data: Path, tmp_path: Path, forked: Run) -> None:
    config = data / "faster_rcnn.config"
    config.write_text((CONFIGS / "faster_rcnn_resnet50.config").read_text())
    arguments = train_arguments(
        config, tmp_path / "model", "--set=nms_iou_threshold=0.5", "--set=epochs=0.1", "--set=learning_rate=0.001"
    )
    ended = forked(*arguments)
    assert ended.code == 0, ended.err
    assert {name for _, name, _ in ended.metrics} >= NAMES
    assert rows(tmp_path / "model")[-1]["step"] == 2


def test_a_checkpoint_starts_the_training_or_is_named_as_wrong(
    finished: tuple[Path, Ended], data: Path, tmp_path: Path, forked: Run
) -> None:
    trained = finished[0] / "ckpt-6"
    good = forked(
        *train_arguments(data / "pipeline.config", tmp_path / "good", f"--set=fine_tune_checkpoint={trained}"),
        "--num_train_steps=1",
    )
    assert good.code == 0, good.err
    assert "fine_tune_checkpoint" in trial(tmp_path / "good")["data_digests"]
    config = data / "faster_rcnn.config"
    config.write_text((CONFIGS / "faster_rcnn_resnet50.config").read_text())
    bad = forked(*train_arguments(config, tmp_path / "bad", f"--set=fine_tune_checkpoint={trained}"))
    assert bad.code == 2, bad.err
    assert "does not match this model; it has no value for" in bad.reason
    assert "Traceback" not in bad.err


def test_events_survive_json(finished: tuple[Path, Ended]) -> None:
    """metrics.json is plain JSON: no NaN, which strict readers refuse."""
    json.loads((finished[0] / "metrics.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.usefixtures("little_memory")
def test_out_of_memory_has_its_own_exit_code(data: Path, tmp_path: Path) -> None:
    """An image of 120 GB."""
    edges = [f"--set=model.ssd.image_resizer.fixed_shape_resizer.{edge}=100000" for edge in ("height", "width")]
    ended = run(*train_arguments(data / "pipeline.config", tmp_path / "model", *edges))
    assert ended.code == 3, ended.err
    assert ended.reason.startswith("out of memory: OOM when allocating tensor")
    assert trial(tmp_path / "model")["reason"].startswith("out of memory")
