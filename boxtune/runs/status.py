"""A run as Katib would show it: the Experiment with its status."""

from __future__ import annotations

from dataclasses import asdict

from boxtune.experiment.source import Json, JsonObject
from boxtune.runs.confirmation import Confirmation, Sample
from boxtune.runs.difference import LEVEL
from boxtune.runs.prior import PriorRun
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
    Condition.PAUSED: ("pausedTrialList", "trialsPaused"),
}


def experiment_with_status(run: Run) -> JsonObject:
    """The Experiment as `kubectl get experiment -o json` would print it; the baseline stands in an annotation.

    Local names: a trial's details, which Katib keeps in Trial objects, are under `status.trialDetails`; why no trial
    begins is `status.waits`; paused trials, which Katib has none of, are `status.pausedTrialList`; trainings with seeds
    of their own are `status.repeats`, and what they gave `status.confirmation`, whose `gain` is turned so that more is
    better. Earlier runs that the search was told of are `status.warmStart`.
    """
    status: dict[str, Json] = {
        "conditions": [{"type": str(run.condition), "status": "True", "message": run.message}],
        "startTime": run.started,
        "trials": len(run.trials),
    }
    if run.waits:
        status["waits"] = run.waits
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
    if run.warm_start:
        status["warmStart"] = [_told(each) for each in run.warm_start]
    if run.repeats:
        status["repeats"] = [_details(trial) for trial in run.repeats]
    if run.confirmation is not None:
        status["confirmation"] = _confirmation(run.confirmation)
    return {**run.experiment.raw, "status": status}


def _details(trial: Trial) -> JsonObject:
    details: dict[str, Json] = {
        "name": trial.name,
        "role": str(trial.role),
        "condition": str(trial.condition),
        "startTime": trial.started,
        **_assignments_and_observation(trial),
    }
    if not trial.condition.open:
        details |= {"completionTime": trial.ended, "seconds": round(trial.seconds, 3), "exitCode": trial.exit_code}
    if trial.steps is not None:
        details["steps"] = trial.steps
    if trial.reason:
        details["reason"] = trial.reason
    if trial.out_of_memory:
        details["outOfMemory"] = True
    if trial.same_as:
        details["sameConfigAs"] = trial.same_as
    if trial.repeats:
        details["repeats"] = trial.repeats
    if trial.seed is not None:
        details["seed"] = trial.seed
    if trial.folder is not None:
        details["folder"] = str(trial.folder)
    return details


def _told(earlier: PriorRun) -> JsonObject:
    used = {"trials": earlier.count, "trialsUsed": len(earlier.trials)}
    return {"run": earlier.source, **used, "countLess": dict(earlier.counted_less), "leftOut": dict(earlier.left_out)}


def _confirmation(found: Confirmation) -> JsonObject:
    gain = found.gain
    said: dict[str, Json] = {
        "verdict": str(found.verdict),
        "metric": found.metric,
        "split": found.split,
        "gain": {"value": gain.value, "low": gain.low, "high": gain.high, "level": LEVEL},
        "winner": _sample(found.winner),
    }
    if found.base is not None:
        said["base"] = _sample(found.base)
    else:
        said["comparedWithNothing"] = found.alone
    if found.images is not None:
        said["images"] = {**asdict(found.images), "level": LEVEL}
    return {**said, "look": found.look, "completionTime": found.time}


def _sample(sample: Sample) -> JsonObject:
    values = [{"name": name, "value": value} for name, value in sample.values.items()]
    return {"trialName": sample.trial, "repeats": values, "failed": sample.failed}


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
