"""A search on Katib that a pipeline's step makes and waits for; whoever starts the step again finds it again.

The Experiment belongs to the run's Argo Workflow, where that may be looked up, and goes with it. While the step waits
it renews a lease; a run that is terminated tells its steps nothing, so `boxtune cancel --stale` ends what nobody waits
for. A step that is told to go (SIGTERM, Ctrl-C) leaves the Experiment: its pod may be moved, and the next one goes on.
One that finds its run's Experiment failed was started again by somebody who mended the cause: the search begins anew.
"""

from __future__ import annotations

import hashlib
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import FrameType
from typing import Protocol

from boxtune.cluster import lease
from boxtune.cluster.artifact_store import check_secret, store_access
from boxtune.cluster.cancelling import cancel, cancel_and_wait, has_failed
from boxtune.cluster.carried_files import refuse_uncarried, with_carried_files
from boxtune.cluster.connection import Cluster, connect, is_in_pod, speaking_plainly
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.submission import Belonging, submit, warnings
from boxtune.cluster.trial_data import DataSource, with_data
from boxtune.cluster.watching import patiently, wait_for_experiment, watch
from boxtune.errors import ClusterError, ExperimentError, ExperimentFailed, Interrupted, Unreachable
from boxtune.experiment.editing import edited, with_counts, with_num_steps
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import JsonObject
from boxtune.runs.run import Run, RunCondition

_ROLE = "boxtune-pipeline in manifests/pipelines"
_LONGEST_NAME = 40
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DIGEST_DIGITS = 8
_LAST_SECONDS = 5.0  # between looks, once only the baseline is left


@dataclass(frozen=True)
class SearchOptions:
    """How a step was asked to search.

    Attributes:
        name: of the Experiment, the same whenever the step is started again; `search_name` makes one.
        data: what the trials' volumes (or claims) are filled with, by their names; those left out stay as they are.
        owner: the name of the Argo Workflow that the step belongs to; empty for none.
        namespace: where; None for the pod's own, and outside of a pod the Experiment's, else the kubeconfig's.
        cache_claim: a claim in which the trials' pods keep one copy of the data for all; empty for none.
        max_trials, parallel, num_steps: instead of the Experiment's; None leaves them.
        baseline: whether the base config's own values are trained beside it, where that can be.
        context: of the kubeconfig, outside of a pod.
    """

    name: str
    data: Mapping[str, DataSource] = field(default_factory=dict)
    owner: str = ""
    namespace: str | None = None
    cache_claim: str = ""
    max_trials: int | None = None
    parallel: int | None = None
    num_steps: int | None = None
    baseline: bool = True
    context: str | None = None


class SearchListener(Protocol):
    """Is told what happens; shows it to people."""

    def notice(self, text: str) -> None:
        """Something that people should know, one line."""

    def changed(self, run: Run) -> None:
        """A trial was started, waits for something, or has ended."""


def search_name(workflow: str, experiment: str) -> str:
    """A name for the Experiment of a run's search, which Katib accepts: the same for the same two.

    Args:
        workflow: the run's Argo Workflow.
        experiment: the Experiment's own name, where a run has several.
    """
    wanted = f"{workflow}-{experiment}" if workflow else experiment
    if len(wanted) <= _LONGEST_NAME and _NAME.fullmatch(wanted):
        return wanted
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:_DIGEST_DIGITS]
    plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"s-{plain}"
    return f"{plain[: _LONGEST_NAME - _DIGEST_DIGITS - 1].rstrip('-')}-{digest}"


def search_on_katib(experiment: Experiment, options: SearchOptions, listener: SearchListener) -> Run:
    """Make the Experiment, or find it again, and wait until it is over.

    Returns:
        The run, whichever way it ended (`refuse_failed`), of the Experiment as it was given but for counts and steps.

    Raises:
        ClusterError: no cluster, no Katib, no rights, no label; the name is taken by another; the data cannot be given
            to the trials; the Experiment was deleted meanwhile.
        ExperimentError: `num_steps` cannot be.
        Interrupted: a signal; the Experiment goes on, and so does the same call.
    """
    cluster = connect(options.context, options.namespace, None if is_in_pod() else experiment.namespace)
    cluster = replace(cluster, role=_ROLE)
    given = with_num_steps(with_counts(experiment, options.max_trials, options.parallel), options.num_steps)
    uid = patiently(lambda: _begun(cluster, given, options, listener.notice), lease.LEASE_SECONDS, listener.notice)
    with _interrupted_by_signals(options.name):
        run = _wait(cluster, options.name, uid, listener)
    patiently(lambda: lease.release(cluster, options.name), lease.LEASE_SECONDS, listener.notice)
    return replace(run, experiment=given)


def _begun(cluster: Cluster, given: Experiment, options: SearchOptions, notice: Callable[[str], None]) -> str:
    """The uid of the Experiment, which is there now and held; may be called again wherever it ended."""
    asked = _prepared(cluster, given, options)
    for text in warnings(cluster, asked):
        notice(text)
    belonging = Belonging(_owner(cluster, options, notice))
    if options.owner and has_failed(cluster.experiment(options.name)):
        notice(f"the Experiment {options.name} of this run has failed; it is deleted, and begins anew")
        lease.release(cluster, options.name)
        cancel_and_wait(cluster, options.name, notice)
    is_new = cluster.experiment(options.name) is None
    for line in _submitted(cluster, asked, options.baseline, belonging):
        notice(line)
    return _held(cluster, options.name, is_new)


def refuse_failed(run: Run) -> None:
    """See that the search did not fail.

    Raises:
        ExperimentFailed: it did: too many failed trials; says the last one's reason.
    """
    if run.condition is not RunCondition.FAILED:
        return
    failed = [trial for trial in run.trials if trial.condition.failed]
    last = f"; the last, {failed[-1].name}: {failed[-1].reason}" if failed else ""
    raise ExperimentFailed(f"{len(failed)} of {len(run.trials)} trials failed{last} ({run.message})")


def _prepared(cluster: Cluster, given: Experiment, options: SearchOptions) -> Experiment:
    """The Experiment as it is submitted: under its name, with data and files that need nothing of the namespace."""
    refuse_uncarried(cluster, given)
    asked = given
    for volume, source in options.data.items():
        access = store_access(cluster, source.url)
        if access is not None:
            check_secret(cluster, access)
        environment = access.environment() if access is not None else []
        asked = with_data(asked, volume, source, environment, options.cache_claim)
    asked = with_carried_files(asked)

    def change(raw: dict[str, JsonObject]) -> None:
        raw["metadata"] = {**raw["metadata"], "name": options.name}
        # Without, Katib deletes a failed trial's pod, and the reason with it; all go with the Experiment.
        raw["spec"] = {**raw["spec"], "trialTemplate": {**raw["spec"]["trialTemplate"], "retain": True}}

    return edited(asked, change)


def _owner(cluster: Cluster, options: SearchOptions, notice: Callable[[str], None]) -> JsonObject | None:
    """The ownerReference to the run's Workflow."""
    if not options.owner:
        return None
    why = "there is none"
    try:
        found = _workflow(cluster, options.owner)
        if found is not None:
            uid = found["metadata"]["uid"]
            return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": options.owner, "uid": uid}
    except Unreachable:
        raise
    except ClusterError as problem:
        why = str(problem)
    notice(
        f"the Workflow {options.owner} cannot be looked up ({why}), so the Experiment stays when the run is deleted; "
        f"boxtune cancel {options.name} -n {cluster.namespace} ends it"
    )
    return None


def _workflow(cluster: Cluster, name: str) -> JsonObject | None:
    """Argo's Workflow of this name; None where there is none, or no Argo."""
    from kubernetes.client import ApiException

    with speaking_plainly(cluster):
        try:
            found: JsonObject = cluster.custom.get_namespaced_custom_object(
                "argoproj.io", "v1alpha1", cluster.namespace, "workflows", name
            )
        except ApiException as problem:
            if problem.status == HTTPStatus.NOT_FOUND:
                return None
            raise
    return found


def _submitted(cluster: Cluster, asked: Experiment, baseline: bool, belonging: Belonging) -> list[str]:
    if baseline:
        try:
            return submit(cluster, asked, True, False, belonging)
        except ExperimentError:
            pass  # no baseline: the base config cannot be seen, or a parameter is no --set
    return submit(cluster, asked, False, False, belonging)


def _held(cluster: Cluster, name: str, is_new: bool) -> str:
    """The uid of the Experiment, whose lease this step holds now; a new one that it may not hold is not left behind."""
    raw = cluster.experiment(name)
    uid = str(raw["metadata"]["uid"]) if raw is not None else ""
    try:
        lease.renew(cluster, name, uid)
    except ClusterError:
        if is_new:
            cancel(cluster, name)
        raise
    return uid


def _wait(cluster: Cluster, name: str, uid: str, listener: SearchListener) -> Run:
    fetcher = Fetcher(cluster, name)
    renewed = time.monotonic()

    def wait(run: Run) -> None:
        nonlocal renewed
        if time.monotonic() - renewed >= lease.RENEWAL_SECONDS:
            _renew(cluster, name, uid, listener.notice)
            renewed = time.monotonic()
        if run.ended:
            time.sleep(_LAST_SECONDS)
        else:
            wait_for_experiment(cluster, name, fetcher.version, lease.RENEWAL_SECONDS)

    try:
        return watch(cluster, fetcher, listener.changed, listener.notice, wait, lease.LEASE_SECONDS)
    except Unreachable:
        raise
    except ClusterError:
        if cluster.experiment(name) is None:
            raise ClusterError(
                f"the Experiment {name} was deleted while this step waited for it, by boxtune cancel or with its run"
            ) from None
        raise


def _renew(cluster: Cluster, name: str, uid: str, notice: Callable[[str], None]) -> None:
    """A cluster that does not answer for a moment does not end the search; the lease lasts a while."""
    try:
        lease.renew(cluster, name, uid)
    except Unreachable as problem:
        notice(f"the lease of {name} is not renewed: {problem}; trying again")


@contextmanager
def _interrupted_by_signals(name: str) -> Iterator[None]:
    """SIGTERM and SIGINT within end the waiting, not the Experiment."""
    before: dict[signal.Signals, object] = {}

    def received(number: int, frame: FrameType | None) -> None:
        raise Interrupted(
            f"stopped by {signal.Signals(number).name}; the Experiment {name} goes on, and the same step waits for it "
            f"again; after {lease.LEASE_SECONDS // 60} minutes without one, boxtune cancel --stale ends it"
        )

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.signal(each, received) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)  # type: ignore[arg-type]  # what it returned
