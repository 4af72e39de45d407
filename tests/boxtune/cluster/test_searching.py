"""A step's search: made once, found again, waited for, and what it says; and what nobody waits for any more."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from boxtune.cluster import cancelling, connection, lease, searching, watching
from boxtune.cluster.cancelling import cancel_stale
from boxtune.cluster.connection import Cluster
from boxtune.cluster.searching import SearchOptions, refuse_failed, search_name, search_on_katib
from boxtune.cluster.trial_data import DataSource
from boxtune.errors import ClusterError, ExperimentError, ExperimentFailed, Interrupted, Unreachable
from boxtune.experiment.editing import edited, pod_of, with_counts, with_num_steps
from boxtune.experiment.experiment import Experiment
from boxtune.report.progress_lines import PlainListener
from boxtune.runs.run import Run
from tests.boxtune.cluster.api import CORE, JOBS, KATIB, LEASES, NAMESPACE, WORKFLOWS, Api
from tests.boxtune.cluster.test_fetching import OBSERVATION, put_trial, true

EXPERIMENT, LEASE = f"{KATIB}/experiments/search", f"{LEASES}/search"
OPTIONS = SearchOptions("search", {"data": DataSource("minio://mlpipeline/d")}, "wf", baseline=False, max_trials=3)


@dataclass
class Told:
    """What a listener is told."""

    notices: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def changed(self, run: Run) -> None:
        self.runs.append(run)


@pytest.fixture(autouse=True)
def kubeflow(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stock Kubeflow's namespace has, and a run in it; looks are quick."""
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(searching, "_LAST_SECONDS", 0.1)
    key = base64.b64encode(b"x").decode()
    api.put(f"{CORE}/secrets", "mlpipeline-minio-artifact", data={"accesskey": key, "secretkey": key})
    api.put(WORKFLOWS, "wf", metadata={"uid": "uid-of-wf"})


def when_made(api: Api, do: Callable[[], None]) -> None:
    """Have Katib do its part as soon as the Experiment is there."""

    def after(method: str, path: str) -> None:
        if method == "POST" and path == f"{KATIB}/experiments":
            api.objects[EXPERIMENT]["status"] = true("Created", "Running")
            do()

    api.after = after


def finish(api: Api, condition: str = "Succeeded") -> None:
    put_trial(api, "search-a", 0, {**true("Created", condition), "observation": OBSERVATION}, batch_size="8")
    api.objects[f"{KATIB}/trials/search-a"]["metadata"]["labels"] = {"katib.kubeflow.org/experiment": "search"}
    ended = {**true("Created", condition), "completionTime": "2026-11-25T10:09:00Z"}
    api.objects[EXPERIMENT]["status"] = ended


def test_it_is_made_and_waited_for(api: Api, quick_start: Experiment) -> None:
    told = Told()
    when_made(api, lambda: threading.Timer(0.5, finish, (api,)).start())
    run = search_on_katib(quick_start, OPTIONS, told)
    assert (run.condition, run.ended) == ("Succeeded", "2026-11-25T10:09:00Z")
    assert run.optimal is not None
    assert [each.condition for each in told.runs] == ["Running", "Succeeded"]
    assert told.notices == ["experiment/search created"]
    made = api.objects[EXPERIMENT]
    assert made["metadata"]["ownerReferences"] == [
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "wf", "uid": "uid-of-wf"}
    ]
    assert made["spec"]["maxTrialCount"] == 3
    assert made["spec"]["trialTemplate"]["retain"] is True
    (fetch,) = made["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["initContainers"]
    assert "--from=minio://mlpipeline/d" in fetch["args"]
    assert not [each for each in api.asked if "configmaps" in each and each.startswith("POST")]
    assert f"POST {LEASES}" in api.asked
    assert LEASE not in api.objects  # given up
    # What is kept is the Experiment as it was given, but for its counts.
    assert run.experiment.name == "quick-start"
    assert run.experiment.counts.most == 3
    assert run.experiment.config_maps == quick_start.config_maps


def test_the_baseline_goes_with_the_run_or_by_itself(api: Api, quick_start: Experiment) -> None:
    def both() -> None:
        finish(api)
        api.objects[f"{JOBS}/search-baseline"]["status"] = {"failed": 1}

    when_made(api, both)
    search_on_katib(quick_start, replace(OPTIONS, baseline=True), Told())
    job = api.objects[f"{JOBS}/search-baseline"]
    assert job["metadata"]["ownerReferences"][0]["uid"] == "uid-of-wf"
    assert job["spec"]["ttlSecondsAfterFinished"] == 7 * 24 * 3600
    assert job["spec"]["template"]["spec"]["initContainers"][0]["name"] == "fetch-data"


def test_a_step_that_is_started_again_finds_it(api: Api, quick_start: Experiment) -> None:
    when_made(api, lambda: finish(api))
    search_on_katib(quick_start, OPTIONS, Told())
    told = Told()
    assert search_on_katib(quick_start, OPTIONS, told).condition == "Succeeded"
    assert told.notices == ["experiment/search is there already, the same"]
    assert api.asked.count(f"POST {KATIB}/experiments") == 1
    with pytest.raises(ClusterError, match=r"^another Experiment search is in the namespace drones; choose"):
        search_on_katib(quick_start, replace(OPTIONS, max_trials=2), Told())


def test_signals_end_the_waiting_and_not_the_experiment(api: Api, quick_start: Experiment) -> None:
    for sent in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(sent)
        timer = threading.Timer(1.0, os.kill, (os.getpid(), sent))
        if EXPERIMENT not in api.objects:
            when_made(api, timer.start)
        else:
            timer.start()
        with pytest.raises(Interrupted, match=f"^stopped by {sent.name}; the Experiment search goes on"):
            search_on_katib(quick_start, OPTIONS, Told())
        assert signal.getsignal(sent) is before
        assert EXPERIMENT in api.objects
        assert LEASE in api.objects


def test_the_lease_is_renewed_while_it_waits(
    api: Api, quick_start: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWAL_SECONDS", 0.2)
    when_made(api, lambda: threading.Timer(2.0, finish, (api,)).start())
    search_on_katib(quick_start, OPTIONS, Told())
    assert api.asked.count(f"PATCH {LEASE}") >= 3


def test_a_failed_search_is_a_run_that_is_refused(api: Api, quick_start: Experiment) -> None:
    when_made(api, lambda: finish(api, "Failed"))
    run = search_on_katib(quick_start, OPTIONS, Told())
    with pytest.raises(ExperimentFailed, match=r"^1 of 1 trials failed; the last, search-a: Trial is Failed") as raised:
        refuse_failed(run)
    assert raised.value.exit_code == 3


def test_a_step_that_is_started_again_after_a_failure_begins_anew(
    api: Api, quick_start: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "_LOOK_SECONDS", 0.1)
    when_made(api, lambda: finish(api, "Failed"))
    assert search_on_katib(quick_start, OPTIONS, Told()).condition == "Failed"
    api.put(f"{KATIB}/suggestions", "search")
    times: list[float] = []

    def after(method: str, path: str) -> None:
        if (method, path) == ("DELETE", EXPERIMENT):  # what it owns goes later
            for each in ("suggestions/search", "trials/search-a"):
                threading.Timer(1.0, api.objects.pop, (f"{KATIB}/{each}",)).start()
            times.append(time.monotonic())
        if (method, path) == ("POST", f"{KATIB}/experiments"):
            times.append(time.monotonic())
            finish(api)

    api.after = after
    told = Told()
    assert search_on_katib(quick_start, OPTIONS, told).condition == "Succeeded"
    assert told.notices == [
        "the Experiment search of this run has failed; it is deleted, and begins anew",
        "waiting until the Suggestion search is gone",
        "experiment/search created",
    ]
    assert times[1] - times[0] >= 1.0
    api.after = lambda method, path: None
    finish(api, "Failed")
    run = search_on_katib(quick_start, replace(OPTIONS, owner=""), Told())  # of no run: it may be anybody's
    assert run.condition == "Failed"


def test_a_pod_searches_in_its_own_namespace(
    api: Api, quick_start: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def elsewhere(raw: dict[str, Any]) -> None:
        raw["metadata"] = {**raw["metadata"], "namespace": "of-somebody-else"}

    file = tmp_path / "namespace"
    file.write_text(NAMESPACE)
    monkeypatch.setattr(connection, "_OWN_NAMESPACE", file)
    when_made(api, lambda: finish(api))
    assert search_on_katib(edited(quick_start, elsewhere), OPTIONS, Told()).condition == "Succeeded"
    assert api.objects[EXPERIMENT]["metadata"]["namespace"] == NAMESPACE


def test_a_step_that_begins_while_the_cluster_is_away(
    api: Api, quick_start: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    when_made(api, lambda: finish(api))
    api.cut()
    threading.Timer(1.0, api.restore).start()
    told = Told()
    assert search_on_katib(quick_start, OPTIONS, told).condition == "Succeeded"
    assert told.notices[0].endswith("; trying again")
    assert told.notices[1:] == ["experiment/search created"]
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.5)
    api.cut()
    with pytest.raises(Unreachable, match=r"^no cluster at"):
        search_on_katib(quick_start, OPTIONS, Told())
    api.restore()


def test_deleted_meanwhile(api: Api, quick_start: Experiment) -> None:
    when_made(api, lambda: threading.Timer(0.5, api.objects.pop, (EXPERIMENT,)).start())
    with pytest.raises(ClusterError, match=r"^the Experiment search was deleted while this step waited for it"):
        search_on_katib(quick_start, OPTIONS, Told())


def test_why_trials_wait_is_said_once(api: Api, quick_start: Experiment) -> None:
    def waits() -> None:
        put_trial(api, "search-a", 0, true("Created", "Running"))
        api.objects[f"{KATIB}/trials/search-a"]["metadata"]["labels"] = {"katib.kubeflow.org/experiment": "search"}
        reason = {"type": "Warning", "message": "pods is forbidden: exceeded quota"}
        api.put(f"{CORE}/events", "search-a", involvedObject={"name": "search-a"}, **reason)
        threading.Timer(1.5, finish, (api,)).start()

    when_made(api, waits)
    out = io.StringIO()
    search_on_katib(quick_start, OPTIONS, PlainListener(Console(file=out, width=200)))
    assert out.getvalue().count("search-a: pods is forbidden: exceeded quota\n") == 1


def test_without_a_workflow_it_is_said(api: Api, quick_start: Experiment) -> None:
    when_made(api, lambda: finish(api))
    told = Told()
    search_on_katib(quick_start, replace(OPTIONS, owner="gone"), told)
    assert "ownerReferences" not in api.objects[EXPERIMENT]["metadata"]
    assert told.notices[0].startswith("the Workflow gone cannot be looked up (there is none), so the Experiment stays")
    assert told.notices[0].endswith("boxtune cancel search -n drones ends it")


@pytest.mark.parametrize(
    ("method", "path", "status", "message", "says"),
    [
        ("POST", f"{KATIB}/experiments", 403, "experiments.kubeflow.org is forbidden: User x cannot create",
         "^no rights: .*the Role boxtune-pipeline in manifests/pipelines has all"),
        ("GET", f"{CORE}/secrets", 403, "secrets is forbidden", "^no rights: secrets is forbidden"),
        ("GET", f"/api/v1/namespaces/{NAMESPACE}", 403, "namespaces is forbidden", "^no rights: "),
        ("POST", LEASES, 403, "leases is forbidden", "^no rights: leases is forbidden"),
    ],
)  # fmt: skip
def test_no_rights(
    api: Api, quick_start: Experiment, method: str, path: str, status: int, message: str, says: str
) -> None:
    api.refuse(method, path, status, message)
    with pytest.raises(ClusterError, match=says):
        search_on_katib(quick_start, replace(OPTIONS, baseline=True), Told())
    assert EXPERIMENT not in api.objects
    assert f"{JOBS}/search-baseline" not in api.objects


def test_what_is_missing(api: Api, quick_start: Experiment) -> None:
    del api.objects[f"{CORE}/secrets/mlpipeline-minio-artifact"]
    with pytest.raises(ClusterError, match=r"has no secret mlpipeline-minio-artifact"):
        search_on_katib(quick_start, OPTIONS, Told())
    api.objects[f"/api/v1/namespaces/{NAMESPACE}"]["metadata"]["labels"] = {}
    with pytest.raises(ClusterError, match=r"lacks the label katib.kubeflow.org/metrics-collector-injection: enabled"):
        search_on_katib(quick_start, replace(OPTIONS, data={}), Told())
    with pytest.raises(ExperimentError, match=r"num_steps: the search assigns"):
        with_num_steps(with_argument(quick_start, "--set=num_steps=${trialParameters.batchSize}"), 3)
    assert EXPERIMENT not in api.objects


def with_argument(experiment: Experiment, text: str) -> Experiment:
    def change(raw: dict[str, Any]) -> None:
        pod_of(raw)["spec"]["containers"][0]["args"].append(text)

    return edited(experiment, change)


def test_steps_and_counts(quick_start: Experiment) -> None:
    made = with_num_steps(with_counts(quick_start, 2, 9), 7)
    assert (made.counts.most, made.counts.parallel) == (2, 2)
    assert made.counts.most_failed is None or made.counts.most_failed <= 2
    arguments = made.raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert [each for each in arguments if "num_steps" in each or "epochs" in each] == ["--set=num_steps=7"]
    assert with_counts(quick_start, None, None) is quick_start


@pytest.mark.parametrize("workflow", ["tune-and-train-x7k2p", "", "a" * 60, "2-fast", "Ünlikely Name", "a-" * 30])
def test_names_that_katib_takes(workflow: str) -> None:
    names = {search_name(workflow, each) for each in ("quick-start", "other", "quick-start")}
    assert len(names) == 2
    for name in names:
        assert len(name) <= 40
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)
    assert search_name("tune-and-train-x7k2p", "quick-start") == "tune-and-train-x7k2p-quick-start"


def put_lease(api: Api, name: str, ago: timedelta) -> None:
    renewed = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "pod-1", "leaseDurationSeconds": 900, "renewTime": renewed}
    api.put(LEASES, name, metadata={"labels": {"app.kubernetes.io/component": "search-lease"}}, spec=spec)


def test_what_nobody_waits_for_is_ended(api: Api, cluster: Cluster) -> None:
    for name, minutes, status in (
        ("held", 14, {}), ("left", 16, {}), ("old", 120, {}), ("over", 120, {"completionTime": "2026-11-25T10:09:00Z"}),
    ):  # fmt: skip
        put_lease(api, name, timedelta(minutes=minutes))
        api.put(f"{KATIB}/experiments", name, spec={}, status=status)
    put_lease(api, "vanished", timedelta(hours=9))
    api.put(f"{KATIB}/experiments", "by-hand")
    there = set(api.objects)
    said = list(cancel_stale(cluster, timedelta(), dry_run=True))
    assert set(api.objects) == there
    assert [line.partition(":")[0] for line in said] == ["left", "old", "over", "vanished"]
    assert said[0].endswith("(pod-1 did); it would be ended (dry run)")
    assert len(list(cancel_stale(cluster, timedelta(hours=1), dry_run=True))) == 3
    said = list(cancel_stale(cluster, timedelta(), dry_run=False))
    assert "experiment/left deleted, and its trials" in said
    assert [each.endswith("it is over, and stays") for each in said if each.startswith("over")] == [True]
    assert {each.rpartition("/")[2] for each in there - set(api.objects)} == {"left", "old"}
