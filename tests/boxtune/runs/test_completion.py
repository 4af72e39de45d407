"""When a run is over: Katib's rules, in Katib's order."""

from __future__ import annotations

from typing import Any

import pytest

from boxtune.experiment.experiment import parse_experiment
from boxtune.runs.completion import GOAL_REACHED, MOST_FAILED, MOST_TRIALS, Completion, completion
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Condition, Metric, Role, Trial
from tests.experiments import shell_experiment

GOOD, EARLY, BAD, DUMB, OPEN = (
    Condition.SUCCEEDED,
    Condition.EARLY_STOPPED,
    Condition.FAILED,
    Condition.METRICS_UNAVAILABLE,
    Condition.RUNNING,
)


def run(*trials: tuple[Condition, float | None], baseline: Trial | None = None, **spec: Any) -> Run:
    """A run whose trials are these."""
    made = tuple(trial(number, *each) for number, each in enumerate(trials))
    experiment = parse_experiment(shell_experiment(**spec), {})
    return Run(experiment, made, baseline, RunCondition.RUNNING, "", "")


def trial(number: int | None, condition: Condition, value: float | None) -> Trial:
    observation = {} if value is None else {"score": Metric("score", str(value), str(value), str(value))}
    role = Role.BASELINE if number is None else Role.SUGGESTED
    return Trial(f"t{number}", role, number, {}, condition=condition, observation=observation)


def goal(value: float, kind: str = "maximize") -> dict[str, Any]:
    return {"type": kind, "objectiveMetricName": "score", "goal": value}


@pytest.mark.parametrize(
    ("trials", "spec", "over"),
    [
        ([(GOOD, 1.0)], {"maxTrialCount": 2}, None),
        ([(GOOD, 1.0), (OPEN, None)], {"maxTrialCount": 2}, None),
        ([(GOOD, 1.0), (EARLY, 0.5)], {"maxTrialCount": 2}, MOST_TRIALS),
        ([(BAD, None), (DUMB, None)], {"maxFailedTrialCount": 2}, MOST_FAILED),
        ([(BAD, None)], {"maxFailedTrialCount": 2}, None),
        ([], {"maxFailedTrialCount": 0}, None),
        ([(BAD, None)], {"maxFailedTrialCount": 0}, MOST_FAILED),
        ([(GOOD, 5.0), (BAD, None)], {"objective": goal(5), "maxFailedTrialCount": 1}, GOAL_REACHED),
        ([(EARLY, 5.0)], {"objective": goal(5)}, GOAL_REACHED),
        ([(OPEN, 5.0)], {"objective": goal(5)}, None),
        ([(GOOD, 0.1)], {"objective": goal(0.2, "minimize")}, GOAL_REACHED),
        ([(GOOD, 0.3)], {"objective": goal(0.2, "minimize")}, None),
        ([(BAD, None), (GOOD, 1.0)], {"maxFailedTrialCount": 1, "maxTrialCount": 2}, MOST_FAILED),
    ],
)
def test_the_first_rule_that_holds_ends_it(
    trials: list[tuple[Condition, float | None]], spec: dict[str, Any], over: Completion | None
) -> None:
    assert completion(run(*trials, **spec)) is over


def test_the_baseline_counts_for_none_of_them() -> None:
    good, bad = trial(None, GOOD, 9.0), trial(None, BAD, None)
    assert completion(run(baseline=good, objective=goal(5))) is None
    assert completion(run(baseline=bad, maxFailedTrialCount=1)) is None
    assert completion(run((OPEN, None), baseline=good, maxTrialCount=1)) is None
