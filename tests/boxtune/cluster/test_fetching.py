"""The run that lies on a cluster: objects as the real Katib writes them, shortened."""

from __future__ import annotations

import json
from typing import Any

import pytest

from boxtune.cluster.connection import Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.submission import submit
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment
from boxtune.runs.trial import Condition, Trial
from tests.boxtune.cluster.api import CORE, JOBS, KATIB, Api

OBSERVATION = {
    "metrics": [{"name": "mAP", "min": "0.1", "max": "0.3", "latest": "0.2"}, {"name": "recall", "min": "unavailable"}]
}


def true(*kinds: str) -> dict[str, Any]:
    """A status in which all of these conditions hold: Katib leaves earlier ones standing."""
    return {
        "conditions": [{"type": kind, "status": "True", "message": f"Trial is {kind}"} for kind in kinds],
        "startTime": "2026-11-25T10:00:00Z",
    }


def put_trial(api: Api, name: str, second: int, status: dict[str, Any], **assignments: str) -> None:
    api.put(
        f"{KATIB}/trials",
        name,
        metadata={
            "labels": {"katib.kubeflow.org/experiment": "quick-start"},
            "creationTimestamp": f"2026-11-25T10:00:{second:02}Z",
        },
        spec={"parameterAssignments": [{"name": key, "value": value} for key, value in assignments.items()]},
        status=status,
    )


def put_pod(api: Api, name: str, trial: str, status: dict[str, Any], log: str = "", second: int = 0) -> None:
    containers = [{"name": each} for each in ("trial", "metrics-logger-and-collector")]
    api.put(
        f"{CORE}/pods",
        name,
        metadata={"labels": {"job-name": trial}, "creationTimestamp": f"2026-11-25T10:01:{second:02}Z"},
        spec={"containers": containers},
        status=status,
    )
    api.logs[name, "metrics-logger-and-collector"] = log


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {
        "phase": "Failed",
        "containerStatuses": [
            {
                "name": "trial",
                "image": "i",
                "imageID": "i",
                "ready": False,
                "restartCount": 0,
                "state": {"terminated": {"exitCode": code, **more}},
            }
        ],
    }


@pytest.fixture
def fetcher(api: Api, cluster: Cluster, quick_start: Experiment) -> Fetcher:
    """Of the quick-start, submitted."""
    submit(cluster, quick_start, False, False)
    api.objects[f"{KATIB}/experiments/quick-start"]["status"] = {
        **true("Created", "Running"),
        "completionTime": None,
    }
    return Fetcher(cluster, "quick-start")


def by_name(fetcher: Fetcher) -> dict[str, Trial]:
    return {trial.name: trial for trial in fetcher.fetch().trials}


def test_trials_come_in_the_order_of_their_creation(api: Api, fetcher: Fetcher) -> None:
    put_trial(api, "quick-start-a", 9, true("Created"))
    put_trial(api, "quick-start-z", 3, {**true("Created", "Succeeded"), "observation": OBSERVATION}, batch_size="8")
    run = fetcher.fetch()
    assert (run.condition, run.ended, run.baseline) == ("Running", "", None)
    first, second = run.trials
    assert (first.name, first.number, first.assignments) == ("quick-start-z", 0, {"batch_size": "8"})
    assert first.value(run.experiment.objective) == 0.2
    assert first.observation["recall"].value("latest") is None
    assert (second.condition, second.observation) == (Condition.CREATED, {})


@pytest.mark.parametrize(
    ("conditions", "is_"),
    [
        (("Created",), Condition.CREATED),
        (("Created", "Running"), Condition.RUNNING),
        (("Created", "Running", "Succeeded"), Condition.SUCCEEDED),
        (("Created", "Succeeded", "EarlyStopped"), Condition.EARLY_STOPPED),
        (("Created", "MetricsUnavailable"), Condition.METRICS_UNAVAILABLE),
        (("Created", "Running", "Failed"), Condition.FAILED),
        (("Created", "Running", "Killed"), Condition.KILLED),
    ],
)
def test_conditions_that_stand_beside_each_other(
    api: Api, fetcher: Fetcher, conditions: tuple[str, ...], is_: Condition
) -> None:
    put_trial(api, "quick-start-a", 0, true(*conditions))
    assert fetcher.fetch().trials[0].condition == is_


def test_a_failure_s_reason_is_remembered_after_katib_deleted_the_pod(api: Api, fetcher: Fetcher) -> None:
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    log = "I1125 10:22:01.123456      14 main.go:139] model: no such file\nE1125 10:22:02.000000      14 main.go:1] x"
    put_pod(api, "quick-start-a-1", "quick-start-a", ended(2), log)
    assert by_name(fetcher)["quick-start-a"].reason == "the request is wrong: model: no such file"
    put_trial(api, "quick-start-a", 0, true("Created", "Failed"))
    del api.objects[f"{CORE}/pods/quick-start-a-1"]
    trial = by_name(fetcher)["quick-start-a"]
    assert (trial.condition, trial.exit_code) == (Condition.FAILED, 2)
    assert trial.reason == "the request is wrong: model: no such file"


def test_an_init_container_s_failure_is_the_trial_s(api: Api, fetcher: Fetcher) -> None:
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    first = {"name": "fetch-data", "image": "i", "imageID": "i", "ready": False, "restartCount": 0}
    waiting = {**first, "name": "trial", "state": {"waiting": {"reason": "PodInitializing"}}}
    status = {"phase": "Pending", "containerStatuses": [waiting]}
    stuck = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "store" not found'}}
    put_pod(api, "pod", "quick-start-a", {**status, "initContainerStatuses": [{**first, "state": stuck}]})
    reason = 'fetch-data: the container cannot be made: secret "store" not found'
    assert by_name(fetcher)["quick-start-a"].reason == reason
    put_pod(api, "pod", "quick-start-a", {**status, "initContainerStatuses": [{**first, "state": {"running": {}}}]})
    assert by_name(fetcher)["quick-start-a"].reason == ""
    failed = {**first, "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
    api.logs["pod", "fetch-data"] = "INFO fetching\ns3://bucket/d/: no such bucket on http://store:9000\n"
    put_pod(api, "pod", "quick-start-a", {**status, "phase": "Failed", "initContainerStatuses": [failed]})
    trial = by_name(fetcher)["quick-start-a"]
    assert trial.exit_code == 2
    assert trial.reason == "fetch-data: the request is wrong: s3://bucket/d/: no such bucket on http://store:9000"


def test_the_newest_pod_counts(api: Api, fetcher: Fetcher) -> None:
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    put_pod(api, "quick-start-a-2", "quick-start-a", {"phase": "Running"}, second=9)
    put_pod(api, "quick-start-a-1", "quick-start-a", ended(143), second=1)
    assert by_name(fetcher)["quick-start-a"].reason == ""


def test_a_pod_that_waits_and_one_that_was_never_made(api: Api, fetcher: Fetcher) -> None:
    for name in ("quick-start-a", "quick-start-b"):
        put_trial(api, name, 0, true("Created", "Running"))
    waiting = {"name": "trial", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    waiting["state"] = {"waiting": {"reason": "ContainerCreating"}}
    put_pod(api, "quick-start-a-1", "quick-start-a", {"phase": "Pending", "containerStatuses": [waiting]})
    for about, reason, message in (
        ("quick-start-a-1", "FailedMount", "MountVolume.SetUp failed"),
        ("quick-start-b", "FailedCreate", "pods is forbidden: exceeded\n quota"),
    ):
        api.put(
            f"{CORE}/events",
            about,
            involvedObject={"name": about},
            type="Warning",
            reason=reason,
            message=message,
            lastTimestamp="2026-11-25T10:00:00Z",
        )
    trials = by_name(fetcher)
    assert trials["quick-start-a"].reason == "FailedMount: MountVolume.SetUp failed"
    assert trials["quick-start-b"].reason == "pods is forbidden: exceeded quota"


def test_the_baseline_s_metrics_come_from_its_log(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    submit(cluster, quick_start, True, False)
    job = api.objects[f"{JOBS}/quick-start-baseline"]
    fetcher = Fetcher(cluster, "quick-start")
    job["status"] = {"active": 1}
    baseline = fetcher.fetch().baseline
    assert baseline is not None
    assert (baseline.condition, baseline.is_baseline) == (Condition.RUNNING, True)
    assert baseline.assignments == json.loads(job["metadata"]["annotations"]["boxtune/assignments"])
    put_pod(api, "quick-start-baseline-1", "quick-start-baseline", {"phase": "Succeeded"})
    job["status"] = {"succeeded": 1, "startTime": "2026-11-25T10:00:00Z", "completionTime": "2026-11-25T10:01:30Z"}
    baseline = fetcher.fetch().baseline
    assert baseline is not None
    assert baseline.condition == Condition.METRICS_UNAVAILABLE
    api.logs["quick-start-baseline-1", "trial"] = "2026-11-25T10:00:00.000001Z mAP=0.25\n"
    baseline = fetcher.fetch().baseline
    assert baseline is not None
    assert (baseline.condition, baseline.seconds) == (Condition.SUCCEEDED, 90.0)
    assert baseline.value(quick_start.objective) == 0.25
    del api.objects[f"{JOBS}/quick-start-baseline"]  # its time to live is over
    assert fetcher.fetch().baseline == baseline


def test_an_experiment_that_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"^other: neither a run's folder nor an Experiment in the namespace drones"):
        Fetcher(cluster, "other").fetch()
