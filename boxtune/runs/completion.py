"""When a run is over, by Katib's rules and in Katib's words.

Source: `UpdateExperimentStatusCondition` in Katib's `pkg/controller.v1beta1/experiment/util/status_util.go`.
"""

from __future__ import annotations

from dataclasses import dataclass

from boxtune.runs.run import Run, RunCondition


@dataclass(frozen=True)
class Completion:
    """How a run ended: Katib's condition, and its sentence."""

    condition: RunCondition
    message: str


GOAL_REACHED = Completion(RunCondition.SUCCEEDED, "Experiment has succeeded because Objective goal has reached")
MOST_TRIALS = Completion(RunCondition.SUCCEEDED, "Experiment has succeeded because max trial count has reached")
MOST_FAILED = Completion(RunCondition.FAILED, "Experiment has failed because max failed count has reached")
NONE_LEFT = Completion(
    RunCondition.SUCCEEDED, "Experiment has succeeded because suggestion service has reached the end"
)
MOST_STEPS = Completion(
    RunCondition.SUCCEEDED, "Experiment has succeeded because the steps that its trials may train are spent"
)


def completion(run: Run) -> Completion | None:
    """How the run is over, by the first rule that holds: goal, failed trials, number of trials; None if it is not."""
    objective, counts = run.experiment.objective, run.experiment.counts
    best = run.optimal
    value = best.value(objective) if best is not None else None
    if value is not None and objective.reached(value):
        return GOAL_REACHED
    counted = [trial for trial in run.trials if not trial.forgotten]
    failed = sum(trial.condition.failed for trial in counted)
    if counts.most_failed is not None and failed and failed >= counts.most_failed:
        return MOST_FAILED
    if counts.most is not None and sum(trial.condition.ended for trial in counted) >= counts.most:
        return MOST_TRIALS
    return None
