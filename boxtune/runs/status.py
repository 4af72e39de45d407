"""A run as Katib would show it: the Experiment with its status."""

from __future__ import annotations

from typing import Any

from boxtune.runs.model import Condition, Run, Trial

_REASONS = {
    "goal": "ExperimentGoalReached",
    "max": "ExperimentMaxTrialsReached",
    "failed": "ExperimentFailed",
    "end": "ExperimentSuggestionEndReached",
}
_MESSAGES = {
    "goal": "Experiment has succeeded because Objective goal has reached",
    "max": "Experiment has succeeded because max trial count has reached",
    "failed": "Experiment has failed because max failed count has reached",
    "end": "Experiment has succeeded because suggestion service has reached the end",
}
_LISTS = {
    Condition.RUNNING: ("runningTrialList", "trialsRunning"),
    Condition.CREATED: ("pendingTrialList", "trialsPending"),
    Condition.SUCCEEDED: ("succeededTrialList", "trialsSucceeded"),
    Condition.FAILED: ("failedTrialList", "trialsFailed"),
    Condition.KILLED: ("killedTrialList", "trialsKilled"),
    Condition.EARLY_STOPPED: ("earlyStoppedTrialList", "trialsEarlyStopped"),
    Condition.METRICS_UNAVAILABLE: ("metricsUnavailableTrialList", "trialMetricsUnavailable"),
}


def completion(run: Run) -> tuple[str, str] | None:
    """(condition, why) once the run is over by Katib's rules, in their order: goal, failed trials, trials; else None.

    Source: `UpdateExperimentStatusCondition` in Katib's `pkg/controller.v1beta1/experiment/util/status_util.go`.
    """
    objective, counts = run.experiment.objective, run.experiment.counts
    best = run.optimal
    value = best.value(objective) if best is not None else None
    if value is not None and objective.reached(value):
        return "Succeeded", "goal"
    failed = sum(trial.condition.failed for trial in run.trials)
    if counts.most_failed is not None and failed and failed >= counts.most_failed:
        return "Failed", "failed"
    if counts.most is not None and sum(trial.condition.ended for trial in run.trials) >= counts.most:
        return "Succeeded", "max"
    return None


def explain(why: str) -> str:
    """Katib's sentence for an end."""
    return _MESSAGES[why]


def experiment_with_status(run: Run) -> dict[str, Any]:
    """The Experiment as `kubectl get experiment -o json` would print it; the baseline stands in an annotation.

    Local names: a trial's details, which Katib keeps in Trial objects, are under `status.trialDetails`.
    """
    status: dict[str, Any] = {
        "conditions": [{"type": run.condition, "status": "True", "message": run.message}],
        "startTime": run.started,
        "trials": len(run.trials),
    }
    if run.ended:
        status["completionTime"] = run.ended
    for condition, (names, count) in _LISTS.items():
        listed = [trial.name for trial in run.trials if trial.condition is condition]
        if listed:
            status[names], status[count] = listed, len(listed)
    best = run.optimal
    if best is not None:
        status["currentOptimalTrial"] = {"bestTrialName": best.name, **_assignments_and_observation(best)}
    status["trialDetails"] = [_details(trial) for trial in run.trials]
    if run.baseline is not None:
        status["baseline"] = _details(run.baseline)
    return {**run.experiment.raw, "status": status}


def _details(trial: Trial) -> dict[str, Any]:
    details: dict[str, Any] = {
        "name": trial.name,
        "condition": str(trial.condition),
        "startTime": trial.started,
        **_assignments_and_observation(trial),
    }
    if trial.condition.ended:
        details |= {"completionTime": trial.ended, "seconds": round(trial.seconds, 3), "exitCode": trial.exit_code}
    if trial.reason:
        details["reason"] = trial.reason
    if trial.folder is not None:
        details["folder"] = str(trial.folder)
    return details


def _assignments_and_observation(trial: Trial) -> dict[str, Any]:
    return {
        "parameterAssignments": [{"name": name, "value": value} for name, value in trial.assignments.items()],
        "observation": {
            "metrics": [
                {"name": metric.name, "min": metric.minimum, "max": metric.maximum, "latest": metric.latest}
                for metric in trial.observation.values()
            ]
        },
    }
