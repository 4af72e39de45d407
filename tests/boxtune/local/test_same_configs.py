"""Trials whose assignments differ and whose configs do not: marked, and with --reuse not trained again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from boxtune.checking.check import CheckOptions, check
from boxtune.local.reading import open_run
from boxtune.local.same_configs import SameConfigs
from boxtune.report.rungs import rungs_of
from tests.conftest import QUICK_START
from tests.experiments import boxtune, container, write

FLIP = "augmentation.random_horizontal_flip"


def flips(folder: Path, *values: str) -> Path:
    """The quick-start, searching an augmentation's switch in a grid of these values."""
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    spec: dict[str, Any] = experiment["spec"]
    spec |= {"algorithm": {"algorithmName": "grid"}, "maxTrialCount": len(values), "maxFailedTrialCount": 1}
    spec["parallelTrialCount"] = 1
    space = {"list": list(values)}
    spec["parameters"] = [{"name": "flip", "parameterType": "categorical", "feasibleSpace": space}]
    spec["trialTemplate"]["trialParameters"] = [{"name": "flip", "reference": "flip"}]
    arguments = container(experiment)["args"]
    arguments[:] = [text for text in arguments if "${" not in text] + [f"--set={FLIP}=${{trialParameters.flip}}"]
    return write(folder / "experiment.yaml", config_map, experiment)


def test_the_first_of_each_config_is_named() -> None:
    digests = {"on": "a", "true": "a", "off": "b"}
    same = SameConfigs(lambda assignments: digests.get(assignments["flip"]), [])
    assert [
        same.add(str(number), {"flip": value}) for number, value in enumerate(("on", "off", "true", "maybe", "maybe"))
    ] == [
        "",
        "",
        "0",
        "",
        "",
    ]


def test_a_trial_of_the_same_config_takes_the_result_over(digits: Path, tmp_path: Path) -> None:
    """The list's `false` is the base config's `off`: the baseline's result is the first trial's."""
    file, out = flips(tmp_path, "false", "true", "on"), tmp_path / "run"
    done = boxtune("run", file, "--volume", f"data={digits}", "--out", out, "--num-steps", "2", "--reuse")
    assert done.code == 0, done.err + done.out
    run = open_run(out)
    assert run.baseline is not None
    assert run.baseline.assignments == {"flip": "false"}, "off is found as the list's false"
    off, on, again = run.trials
    assert (off.same_as, on.same_as, again.same_as) == (run.baseline.name, "", on.name)
    assert off.observation == run.baseline.observation
    assert again.observation == on.observation
    assert (off.attempts, again.attempts) == ((), ()), "nothing ran"
    assert rungs_of(run) is None
    assert [len(list((out / "trials" / trial.name).rglob("ckpt-*.index"))) > 0 for trial in (off, on, again)] == [
        False,
        True,
        False,
    ]
    assert "the result of quick-start-0002, whose config is the same" in done.out
    assert f",{on.name}," in boxtune("show", out, "--csv").out
    assert '"sameConfigAs": "quick-start-0002"' in boxtune("show", out, "--json").out


def test_check_points_out_a_parameter_that_changes_nothing(tmp_path: Path) -> None:
    found = [each for each in check(flips(tmp_path, "on", "true"), CheckOptions()) if each.severity == "warning"]
    (nothing,) = [each for each in found if "changes nothing" in each.what]
    assert nothing.path == "spec.parameters.0"
    assert "on and true make the same config" in nothing.what
    assert not [each for each in check(flips(tmp_path, "on", "off"), CheckOptions()) if "changes nothing" in each.what]
