"""The baseline on a cluster: the base config's own values as a Job of its own beside the Experiment."""

from __future__ import annotations

from boxtune.cluster.beside import Training, job_beside, trial_beside
from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.cluster.pods import TrialPods
from boxtune.errors import ExperimentError
from boxtune.experiment.baseline import baseline_assignments
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import JsonObject
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_config import TrialConfig, trial_config
from boxtune.runs.trial import Role, Trial, baseline_name
from trial_entry.errors import RequestError


def baseline_job(experiment: Experiment, namespace: str) -> JsonObject:
    """The Job: the trialTemplate's with the base config's own values, and without what Katib adds.

    Raises:
        ExperimentError: there is no baseline: the trials are not trial_entry's, or the base config is not in the
            Experiment's ConfigMaps.
    """
    trials, assignments = _trials(experiment), base_assignments(experiment)
    if trials is None or assignments is None:
        raise ExperimentError(
            "--baseline: the base config's own values cannot be trained: the trials must be python -m trial_entry, "
            "their config in a ConfigMap of the file, and every parameter a --set"
        )
    training = Training(baseline_name(experiment.name), Role.BASELINE, assignments)
    return job_beside(experiment, trials.command, namespace, training)


def base_assignments(experiment: Experiment) -> Assignments | None:
    """The base config's own values; None where they cannot be told."""
    trials = _trials(experiment)
    return baseline_assignments(experiment, trials) if trials is not None else None


def _trials(experiment: Experiment) -> TrialConfig | None:
    if experiment.template.job is None:
        return None
    try:
        return trial_config(experiment, {})
    except RequestError:
        return None  # boxtune check has said what is wrong


def baseline_trial(cluster: Cluster, experiment: Experiment, pods: TrialPods) -> Trial | None:
    """The baseline as it stands, or None where none was submitted."""
    name = baseline_name(experiment.name)
    with speaking_plainly(cluster):
        job = optional(lambda: cluster.batch.read_namespaced_job(name, cluster.namespace))
    return trial_beside(experiment, pods, job, Role.BASELINE) if job is not None else None
