"""A run as Katib would show it: the Experiment with its status."""

from __future__ import annotations

from boxtune.experiment.source import Json, JsonObject
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial

_LISTS = {
    Condition.RUNNING: ("runningTrialList", "trialsRunning"),
    Condition.CREATED: ("pendingTrialList", "trialsPending"),
    Condition.SUCCEEDED: ("succeededTrialList", "trialsSucceeded"),
    Condition.FAILED: ("failedTrialList", "trialsFailed"),
    Condition.KILLED: ("killedTrialList", "trialsKilled"),
    Condition.EARLY_STOPPED: ("earlyStoppedTrialList", "trialsEarlyStopped"),
    Condition.METRICS_UNAVAILABLE: ("metricsUnavailableTrialList", "trialMetricsUnavailable"),
}


def experiment_with_status(run: Run) -> JsonObject:
    """The Experiment as `kubectl get experiment -o json` would print it; the baseline stands in an annotation.

    Local names: a trial's details, which Katib keeps in Trial objects, are under `status.trialDetails`.
    """
    status: dict[str, Json] = {
        "conditions": [{"type": str(run.condition), "status": "True", "message": run.message}],
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


def _details(trial: Trial) -> JsonObject:
    details: dict[str, Json] = {
        "name": trial.name,
        "role": str(trial.role),
        "condition": str(trial.condition),
        "startTime": trial.started,
        **_assignments_and_observation(trial),
    }
    if trial.condition.ended:
        details |= {"completionTime": trial.ended, "seconds": round(trial.seconds, 3), "exitCode": trial.exit_code}
    if trial.reason:
        details["reason"] = trial.reason
    if trial.same_as:
        details["sameConfigAs"] = trial.same_as
    if trial.folder is not None:
        details["folder"] = str(trial.folder)
    return details


def _assignments_and_observation(trial: Trial) -> JsonObject:
    return {
        "parameterAssignments": [{"name": name, "value": value} for name, value in trial.assignments.items()],
        "observation": {
            "metrics": [
                {"name": metric.name, "min": metric.minimum, "max": metric.maximum, "latest": metric.latest}
                for metric in trial.observation.values()
            ]
        },
    }
