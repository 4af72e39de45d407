"""How a search ends by itself: its space is used up, or trials are stopped because the others did better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import parse_experiment
from boxtune.runs.trial import Condition, Role, StopRule, Trial
from boxtune.search.median_stop import MedianStop
from tests.experiments import boxtune, details, run, shell_experiment, status

THREE_POINTS = [{"name": "x", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "3"}}]
# Five reports, a quarter of a second apart: x, x + 1, …
REPORTS = "for n in 0 1 2 3 4; do echo score=$((X + n)); sleep 0.5; done"
STOPPING = {
    "algorithmName": "medianstop",
    "algorithmSettings": [{"name": "min_trials_required", "value": "2"}, {"name": "start_step", "value": "2"}],
}


def searched(**spec: Any) -> dict[str, Any]:
    return shell_experiment(algorithm={"algorithmName": "grid"}, parameters=THREE_POINTS, **spec)


def test_a_space_that_is_used_up_ends_the_run(tmp_path: Path) -> None:
    ended = run(tmp_path, searched(maxTrialCount=10))
    assert ended.code == 0, ended.err
    found = status(tmp_path)
    assert found["trials"] == found["trialsSucceeded"] == 3
    assert found["conditions"][0]["type"] == "Succeeded"
    assert "suggestion service has reached the end" in found["conditions"][0]["message"]
    again = run(tmp_path, searched(maxTrialCount=12))
    assert again.code == 0
    assert status(tmp_path)["trials"] == 3


def test_a_trial_worse_than_the_median_is_stopped_and_counts(tmp_path: Path) -> None:
    values = {"list": ["30", "40", "10", "50"]}
    parameters = [{"name": "x", "parameterType": "discrete", "feasibleSpace": values}]
    experiment = shell_experiment(
        REPORTS,
        algorithm={"algorithmName": "grid"},
        parameters=parameters,
        earlyStopping=STOPPING,
        parallelTrialCount=1,
        maxTrialCount=4,
    )
    ended = run(tmp_path, experiment)
    assert ended.code == 0, ended.err
    found, trials = status(tmp_path), details(tmp_path)
    assert found["earlyStoppedTrialList"] == ["shell-0003"]
    assert (found["trialsEarlyStopped"], found["trialsSucceeded"]) == (1, 3)
    assert trials["0003"]["observation"]["metrics"][0]["max"] in ("11", "12", "13")  # stopped at its second report
    assert "EarlyStopped" in ended.out
    assert found["currentOptimalTrial"]["parameterAssignments"][0]["value"] == "50"
    ended = boxtune("run", tmp_path / "run", "--continue", "0003")
    assert ended.code == 0, ended.err
    assert "shell-0003 goes on to its end" in ended.out
    trial = details(tmp_path)["0003"]
    assert (trial["condition"], trial["observation"]["metrics"][0]["max"]) == ("Succeeded", "14")
    nothing = boxtune("run", tmp_path / "run", "--continue", "7")
    assert nothing.code == 2
    assert "--continue 7: no trial of this run; of those stopped early or paused there is none" in nothing.reason


def test_a_budget_in_steps_needs_trials_whose_steps_are_known(tmp_path: Path) -> None:
    annotated = searched()
    annotated["metadata"]["annotations"] = {"boxtune/max-steps": "7"}
    for ended, asked in (
        (run(tmp_path, searched(), "--max-steps", "7"), "--max-steps 7"),
        (run(tmp_path, annotated), "boxtune/max-steps: 7"),
    ):
        assert ended.code == 2
        assert f"{asked}: the steps of these trials cannot be told: they are not python" in ended.reason


def stop(maximize: bool = True, **settings: str) -> MedianStop:
    raw = shell_experiment(
        objective={"type": "maximize" if maximize else "minimize", "objectiveMetricName": "score"},
        earlyStopping={
            "algorithmName": "medianstop",
            "algorithmSettings": [{"name": name, "value": value} for name, value in settings.items()],
        },
    )
    return MedianStop(parse_experiment(raw, {}))


def trial(*values: float, condition: Condition = Condition.SUCCEEDED) -> Trial:
    return Trial("t", Role.SUGGESTED, 0, {}, condition=condition, first_values=values)


def test_the_rule_is_the_median_of_the_means_of_those_that_succeeded() -> None:
    others = [trial(0.1, 0.3), trial(0.9, 0.9), trial(0.4, 0.4), trial(5.0, condition=Condition.EARLY_STOPPED)]
    assert stop(min_trials_required="4").rule(others) is None
    rule = stop(start_step="2").rule(others)
    assert rule == StopRule(0.4, 2)  # Katib's own would be the mean, 0.5


def test_it_looks_once_at_the_best_of_the_first_values() -> None:
    rule = StopRule(0.5, 2)
    assert not stop().stops(rule, [0.1])
    assert stop().stops(rule, [0.1, 0.4])
    assert not stop().stops(rule, [0.6, 0.1, 0.1, 0.1])
    assert stop().stops(rule, [0.1, 0.1, 0.9])  # it would have been stopped before
    assert not stop(maximize=False).stops(rule, [0.9, 0.4])
    assert stop(maximize=False).stops(rule, [0.9, 0.6])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"start_step": "0"}, 'start_step "0" of medianstop must be a whole number above 0'),
        ({"min_trials_required": "few"}, "must be a whole number above 0"),
        ({"patience": "3"}, "medianstop has no setting patience; it has min_trials_required, start_step"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, str], says: str) -> None:
    with pytest.raises(ExperimentError, match=says):
        stop(True, **settings)
