"""Runs made up for tests of how they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from boxtune.experiment.experiment import parse_experiment
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from tests.experiments import shell_experiment

PARAMETERS = ("learning_rate", "batch_size", "image_size", "weight_decay")
METRICS = ("mAP", "precision", "recall")
_STARTED, _ENDED = "2026-11-25T10:00:00Z", "2026-11-25T10:01:30Z"


def run_of(*trials: Trial, **more: Any) -> Run:
    """Of four parameters and three metrics, with these trials."""
    space = {"min": "0", "max": "1"}
    experiment = shell_experiment(
        parameters=[{"name": name, "parameterType": "double", "feasibleSpace": space} for name in PARAMETERS],
        objective={
            "type": "maximize",
            "objectiveMetricName": METRICS[0],
            "additionalMetricNames": list(METRICS[1:]),
        },
    )
    run = Run(parse_experiment(experiment, {}), trials, None, RunCondition.RUNNING, "Experiment is running", _STARTED)
    return replace(run, **more)


def trial(name: str, condition: Condition, reason: str = "", value: str = "") -> Trial:
    """One of that run's; it took 90 s, where it has ended."""
    attempt = Attempt(_STARTED, _ENDED, None, 90.0, 0) if condition.ended else Attempt(_STARTED)
    return Trial(
        f"shell-{name}",
        Role.SUGGESTED,
        0,
        dict.fromkeys(PARAMETERS, "0.000123456"),
        condition=condition,
        reason=reason,
        attempts=(attempt,),
        observation={metric: Metric(metric, value, value, value) for metric in METRICS if value},
    )
