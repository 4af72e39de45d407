"""Repeats on a cluster: trainings of a search's best, and of its base config, with seeds of their own, a Job each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from boxtune.cluster.baseline import base_assignments
from boxtune.cluster.beside import COMPONENT, INSTANCE, Training, job_beside, trial_beside
from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.cluster.pods import TrialPods
from boxtune.errors import ClusterError, Unreachable
from boxtune.experiment.trial_command import TrialCommand
from boxtune.runs.run import Run
from boxtune.runs.trial import Role
from boxtune.search.repeating import Repeat, base_of, confirmed, plan

if TYPE_CHECKING:
    from kubernetes.client import V1Job

_DAYS = 7 * 24 * 3600  # seconds that a Job stays once it has ended: its pod's log has what it measured
_WHY_VALIDATION = "the repeats' checkpoints are on the cluster"


def repeat_jobs(cluster: Cluster, experiment: str) -> list[V1Job]:
    """The Jobs that repeat trials of this Experiment, the oldest first; who may not list Jobs sees none.

    Raises:
        Unreachable: the cluster does not answer.
    """
    try:
        with speaking_plainly(cluster):
            found = cluster.batch.list_namespaced_job(cluster.namespace, label_selector=f"{INSTANCE}={experiment}")
    except Unreachable:
        raise
    except ClusterError:
        return []
    jobs = [each for each in found.items if each.metadata.labels.get(COMPONENT) == Role.REPEAT]
    return sorted(jobs, key=lambda each: (each.metadata.creation_timestamp, each.metadata.name))


def with_repeats(cluster: Cluster, run: Run, pods: TrialPods) -> Run:
    """The run with its repeats, and with what they have given where they have all ended.

    Raises:
        Unreachable: as `repeat_jobs`.
    """
    jobs = repeat_jobs(cluster, run.experiment.name)
    trials = [trial_beside(run.experiment, pods, job, Role.REPEAT) for job in jobs]
    if not trials:
        return run
    run = replace(run, repeats=tuple(trials))
    if any(not trial.condition.ended for trial in trials):
        return run
    base = base_of(run, partial(base_assignments, run.experiment))
    alone = "" if base is not None else "the base config's own values failed, or cannot be seen from here"
    found = confirmed(run, plan(run, base, 1), alone)
    return replace(run, confirmation=replace(found, why_split=_WHY_VALIDATION) if found is not None else None)


def create_repeat(cluster: Cluster, run: Run, repeat: Repeat) -> None:
    """Make its Job; one that is there already stays.

    Raises:
        ClusterError: it is refused.
    """
    command = TrialCommand(run.experiment.template)
    training = Training(repeat.name, Role.REPEAT, repeat.assignments, repeat.seed, repeat.repeats)
    job = job_beside(run.experiment, command, cluster.namespace, training)
    job = {**job, "spec": {**job["spec"], "ttlSecondsAfterFinished": _DAYS}}
    with speaking_plainly(cluster):
        if optional(lambda: cluster.batch.read_namespaced_job(repeat.name, cluster.namespace)) is None:
            cluster.batch.create_namespaced_job(cluster.namespace, job)
