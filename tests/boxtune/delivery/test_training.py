"""Trainings of what a search chose: to the end, with seeds, going on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boxtune.delivery.model import open_model
from boxtune.delivery.recipe import run_recipe
from boxtune.errors import InputError
from boxtune.local.reading import open_run
from tests.conftest import write_config
from tests.experiments import BOXTUNE, boxtune, boxtune_here, processes_of
from tests.trials import rows, trial


def training(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "training.json").read_text())
    return found


def best_of(run: Path) -> tuple[str, Path]:
    """Name and MODEL_DIR of the best trial."""
    name = json.loads(boxtune_here("show", run, "--json").out)["status"]["currentOptimalTrial"]["bestTrialName"]
    return name, run / "trials" / name / "volumes" / "model"


def test_the_best_trial_goes_on_from_its_own_checkpoint(search: Path, tmp_path: Path) -> None:
    name, began = best_of(search)
    ended = boxtune("train", search, "--out", tmp_path / "model")
    assert ended.code == 0, ended.err
    record = training(tmp_path / "model")
    [seed] = record["seeds"]
    assert (record["experiment"], record["trial"]) == ("quick-start", name)
    assert record["assignments"].keys() == {"learning_rate", "batch_size", "nms_iou_threshold"}
    assert seed["seed"] == trial(began)["seed"]
    assert seed["went_on"] == name
    assert f"goes on from the checkpoint of {name}, step 3" in ended.err
    folder = tmp_path / "model" / record["chosen"]
    assert [row["step"] for row in rows(folder)] == [3, 6]
    assert rows(folder)[0] == rows(began)[0]
    assert (folder / "pipeline.config").read_text() == (began / "pipeline.config").read_text()
    assert rows(began)[-1]["step"] == 3, "the trial's own folder is left as it is"
    again = boxtune("train", search, "--out", tmp_path / "model")
    assert again.code == 0, again.err
    assert "trained before, to step 6" in again.err
    assert training(tmp_path / "model") == record


def test_several_seeds_are_others_than_the_chosen_trial_s(search: Path, tmp_path: Path) -> None:
    _, began = best_of(search)
    ended = boxtune("train", search, "--seeds", "2", "--out", tmp_path / "model")
    assert ended.code == 0, ended.err
    record = training(tmp_path / "model")
    seeds = record["seeds"]
    assert len(seeds) == 2
    assert trial(began)["seed"] not in {each["seed"] for each in seeds}
    assert not any(each["went_on"] for each in seeds)
    best = max(seeds, key=lambda each: each["metrics"]["mAP"])
    assert seeds[[each["folder"] for each in seeds].index(record["chosen"])]["metrics"]["mAP"] == best["metrics"]["mAP"]
    assert "mAP of 2 seeds:" in ended.out
    assert open_model(str(tmp_path / "model")).folder == tmp_path / "model" / record["chosen"]


@pytest.mark.e2e
def test_a_shortened_search_is_trained_at_full_length(search: Path, digits: Path, tmp_path: Path) -> None:
    """`run --num-steps` changed the schedule, so nothing can go on: the config is rendered again without it."""
    file = search.parent / "experiment.yaml"
    run = ("run", file, "--volume", f"data={digits}", "--out", tmp_path / "run", "--no-baseline", "--num-steps", "2")
    ended = boxtune(*run)
    assert ended.code == 0, ended.err
    ended = boxtune("train", tmp_path / "run", "--trial", "0001", "--out", tmp_path / "model")
    assert ended.code == 0, ended.err
    assert "the search shortened its trials (--num-steps); this trains to step 6" in ended.err
    assert training(tmp_path / "model")["seeds"][0]["step"] == 6
    assert training(tmp_path / "model")["trial"] == "quick-start-0001"


def test_what_cannot_be_trained(search: Path, data: Path, tmp_path: Path) -> None:
    def refused(*arguments: str | Path) -> str:
        ended = boxtune("train", *arguments)
        assert ended.code == 2, ended.err
        assert len(ended.err.splitlines()) == 1, ended.err
        return ended.reason

    assert "no such trial; it has quick-start-0001" in refused(search, "--trial", "0009", "--out", tmp_path / "a")
    config = data / "pipeline.config"
    assert "a config, which has no trials" in refused(config, "--trial", "1", "--out", tmp_path / "a")
    assert "no run lies here" in refused(tmp_path, "--out", tmp_path / "a")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    assert "holds other files" in refused(config, "--out", tmp_path / "full")
    broken = data / "broken.config"
    broken.write_text(config.read_text().replace("train.record", "none.record"))
    assert "none.record: no such file" in refused(broken, "--out", tmp_path / "a")
    assert not (tmp_path / "a").exists(), "nothing half-made"


def test_another_config_does_not_get_into_a_training(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "delivered")
    other = write_config(tmp_path / "delivered" / "data", **{"_steps: 375": "_steps: 7"})
    ended = boxtune("train", other, "--out", tmp_path / "delivered" / "model")
    assert ended.code == 2
    assert "whose config differs" in ended.reason


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.e2e),
        pytest.param(signal.SIGKILL, marks=pytest.mark.e2e),
    ],
)
def test_the_same_command_goes_on(number: signal.Signals, data: Path, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM save a checkpoint; a kill takes the trial along, which begins again from its last one."""
    config = write_config(data, **{"_steps: 375": "_steps: 60"})
    home = tmp_path / "model"
    command = ["train", str(config), "--out", str(home), "--seed", "1"]
    process = subprocess.Popen([*BOXTUNE, *command], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "step 1 of 60" in line:
            break
    process.send_signal(number)
    process.stderr.read()
    assert process.wait(timeout=60) == (-number if number is signal.SIGKILL else 130)
    deadline = time.monotonic() + 10
    while processes_of(["trial_entry", str(home)]):
        assert time.monotonic() < deadline, "its trial outlived it"
        time.sleep(0.05)
    saved = trial(home / "seed-1")["steps"]
    assert 0 <= saved < 60
    assert (saved > 0) == (number is not signal.SIGKILL)
    with pytest.raises(InputError, match="has not ended"):
        open_model(str(home))
    ended = boxtune(*command)
    assert ended.code == 0, ended.err
    assert rows(home / "seed-1")[-1]["step"] == 60
    if saved:
        assert f"going on from step {saved}" in ended.err


def test_a_cluster_s_trial_is_rendered_again_with_this_machine_s_volumes(search: Path, digits: Path) -> None:
    """As a run whose trials left no folder here: the same config, and no checkpoint to go on from."""
    run = open_run(search)
    here = run_recipe(run, "quick-start", None, {})
    elsewhere = replace(run, trials=tuple(replace(each, folder=None) for each in run.trials))
    made = run_recipe(elsewhere, "quick-start", None, {"data": digits})
    assert made.record == replace(here.record, assignments=made.record.assignments)
    assert made.config == here.config
    assert (here.begun is None, made.begun) == (False, None)
    with pytest.raises(InputError, match="no such file"):
        run_recipe(elsewhere, "quick-start", None, {})
