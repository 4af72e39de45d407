"""From trialTemplate to a trial's process, and the baseline's assignments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.errors import ExperimentError
from boxtune.experiment.editing import has_seed, seeded
from boxtune.experiment.loading import load_experiment
from boxtune.experiment.space import inside
from boxtune.local.template import Template
from tests.conftest import QUICK_START
from tests.experiments import container, shell_experiment, write


def quick_start(tmp_path: Path, change: Any = lambda experiment: None) -> tuple[Any, Template]:
    """The quick-start's Experiment, changed, and its template with the data in tmp_path/data."""
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    change(experiment)
    (tmp_path / "data").mkdir(exist_ok=True)
    loaded = load_experiment(write(tmp_path / "experiment.yaml", experiment, config_map))
    return loaded, Template(loaded, {"data": tmp_path / "data"})


def test_a_trial_runs_with_this_interpreter_and_this_machine_s_paths(tmp_path: Path) -> None:
    _, template = quick_start(tmp_path)
    assignments = {"learning_rate": "0.01", "batch_size": "8", "nms_iou_threshold": "0.5"}
    command = template.command("t", assignments, tmp_path / "t")
    assert command.argv[:3] == (sys.executable, "-m", "trial_entry")
    assert f"--pipeline_config_path={tmp_path}/t/volumes/config/pipeline.config" in command.argv
    assert f"--model_dir={tmp_path}/t/volumes/model" in command.argv
    assert f"--set=train_input_reader.label_map_path={tmp_path}/data/label_map.pbtxt" in command.argv
    assert "--set=learning_rate=0.01" in command.argv
    assert command.environment["KATIB_TRIAL_NAME"] == "t"
    assert command.log == command.metrics == tmp_path / "t" / "metrics.log"


def test_the_baseline_has_the_base_config_s_own_values(tmp_path: Path) -> None:
    loaded, template = quick_start(tmp_path)
    found = template.baseline()
    assert found == {"learning_rate": "0.001", "batch_size": "16", "nms_iou_threshold": "0.6"}
    assert inside(loaded.parameters, found)


def test_a_set_without_a_current_value_is_dropped(tmp_path: Path) -> None:
    def search_checkpoints(experiment: dict[str, Any]) -> None:
        spec = experiment["spec"]
        checkpoints = {"list": ["/data/a/ckpt-0", "/data/b/ckpt-0"]}
        spec["parameters"].append({"name": "start", "parameterType": "categorical", "feasibleSpace": checkpoints})
        spec["trialTemplate"]["trialParameters"].append({"name": "start", "reference": "start"})
        container(experiment)["args"] += ["--set", "fine_tune_checkpoint=${trialParameters.start}"]

    loaded, template = quick_start(tmp_path, search_checkpoints)
    found = template.baseline()
    assert found is not None
    assert "start" not in found
    assert not inside(loaded.parameters, found)
    argv = template.command("b", found, tmp_path / "b").argv
    assert not any("fine_tune_checkpoint" in argument for argument in argv)
    assert "--set" not in argv
    full = template.command("t", {**found, "start": "/data/a/ckpt-0"}, tmp_path / "t").argv
    assert full[-2:] == ("--set", f"fine_tune_checkpoint={tmp_path}/data/a/ckpt-0")


def test_there_is_no_baseline_where_a_parameter_stands_elsewhere(tmp_path: Path) -> None:
    def also_the_seed(experiment: dict[str, Any]) -> None:
        container(experiment)["args"].append("--seed=${trialParameters.batchSize}")

    _, template = quick_start(tmp_path, also_the_seed)
    assert template.baseline() is None


def test_shortening_replaces_the_length(tmp_path: Path) -> None:
    loaded, _ = quick_start(tmp_path)
    template = Template(loaded, {"data": tmp_path / "data"}, num_steps=7)
    argv = template.command(
        "t", dict.fromkeys(("learning_rate", "batch_size", "nms_iou_threshold"), "1"), tmp_path
    ).argv
    assert argv[-1] == "--set=num_steps=7"
    assert not any(argument.startswith("--set=epochs") for argument in argv)


def test_gpu_limits_and_sidecars_are_seen(tmp_path: Path) -> None:
    def richer(experiment: dict[str, Any]) -> None:
        container(experiment)["resources"] = {"limits": {"nvidia.com/gpu": 2}}
        pod = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
        pod["initContainers"] = [{"name": "fetch", "image": "x"}]

    _, template = quick_start(tmp_path, richer)
    assert template.gpus == 2
    assert template.left_out == ["fetch"]


def test_a_path_that_is_made_at_run_time_is_refused(tmp_path: Path) -> None:
    experiment = shell_experiment("echo score=1")
    pod = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "v", "emptyDir": {}}]
    container(experiment)["volumeMounts"] = [{"name": "v", "mountPath": "/v", "subPathExpr": "$(NAME)"}]
    loaded = load_experiment(write(tmp_path / "experiment.yaml", experiment))
    with pytest.raises(ExperimentError, match="subPathExpr is not built for local runs"):
        Template(loaded, {}).command("t", {"x": "1"}, tmp_path)


@pytest.mark.parametrize(
    ("given", "with_another"),
    [
        (["python", "-m", "trial_entry", "--seed=1"], ["python", "-m", "trial_entry", "--seed=77"]),
        (["train", "--seed", "3", "--lr=1"], ["train", "--seed", "77", "--lr=1"]),
        (["sh", "-c", "{ t --seed 1; echo --seeds=3; }"], ["sh", "-c", "{ t --seed 77; echo --seeds=3; }"]),
        (["sh", "-c", "t --seed='$SEED' --lr 2"], ["sh", "-c", "t --seed=77 --lr 2"]),
        (["t", "--seed=${trialParameters.seed}"], ["t", "--seed=77"]),
        (["t", "--data-seed=3"], ["t", "--data-seed=3"]),
    ],
)
def test_another_seed(given: list[str], with_another: list[str]) -> None:
    assert seeded(given, 77, add=False) == with_another
    assert has_seed(given) == (given != with_another)
    assert seeded(given, 77, add=True) == (with_another if has_seed(given) else [*given, "--seed=77"])
