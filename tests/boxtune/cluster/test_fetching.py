"""The run that lies on a cluster: objects as the real Katib writes them, shortened."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boxtune.cluster.connection import Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.submission import submit, warnings
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.report.memory import memory_found, memory_lines
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
    command = ["sh", "-c", "python -m trial_entry 1>/var/log/katib/metrics.log 2>&1"]
    containers = [{"name": "trial", "command": command}, {"name": "metrics-logger-and-collector"}]
    fetching = [{"name": "fetch-data", "command": ["python", "-m", "trial_entry", "fetch"]}]
    api.put(
        f"{CORE}/pods",
        name,
        metadata={"labels": {"job-name": trial}, "creationTimestamp": f"2026-11-25T10:01:{second:02}Z"},
        spec={"containers": containers, "initContainers": fetching},
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


def test_what_ran_out_of_memory_shows_its_border(api: Api, fetcher: Fetcher) -> None:
    assignments = {"learning_rate": "0.001", "batch_size": "32", "nms_iou_threshold": "0.5"}
    put_trial(api, "quick-start-a", 0, true("Created", "Failed"), **assignments)
    put_pod(api, "quick-start-a-1", "quick-start-a", ended(137))
    run = fetcher.fetch()
    assert run.trials[0].out_of_memory
    (line,) = memory_lines(run, memory_found(run))
    assert line == (
        "out of memory: batch_size x image pixels from 32 x 128 x 128 of ssd_mobilenet_v2_keras on: Katib's services "
        "know nothing of it, and may try it again"
    )


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


def test_a_trial_that_was_stopped_early_has_its_time_and_value(api: Api, fetcher: Fetcher) -> None:
    status = {**true("Created", "EarlyStopped"), "observation": OBSERVATION}  # which has no completionTime
    status["conditions"][1]["lastTransitionTime"] = "2026-11-25T10:00:42Z"
    put_trial(api, "quick-start-a", 0, status)
    run = fetcher.fetch()
    (trial,) = run.trials
    assert (trial.condition, trial.seconds, trial.ended) == (Condition.EARLY_STOPPED, 42.0, "2026-11-25T10:00:42Z")
    assert trial.measured_value(run.experiment.objective) == 0.2


def test_a_trial_stopped_early_has_not_ended_before_its_value_is_there(api: Api, fetcher: Fetcher) -> None:
    status = true("Created", "EarlyStopped")
    for ago, is_ in ((timedelta(seconds=5), Condition.RUNNING), (timedelta(minutes=5), Condition.EARLY_STOPPED)):
        moment = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
        status["conditions"][1]["lastTransitionTime"] = moment
        put_trial(api, "quick-start-a", 0, status)
        assert fetcher.fetch().trials[0].condition is is_


def test_a_collector_that_died_says_its_own_last_words(api: Api, fetcher: Fetcher) -> None:
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    one = {"image": "i", "imageID": "i", "ready": False, "restartCount": 0}
    statuses = [
        {**one, "name": "trial", "state": {"terminated": {"exitCode": 0}}},
        {**one, "name": "metrics-logger-and-collector", "state": {"terminated": {"exitCode": 255}}},
    ]
    log = "I1125 10:22:01.12      14 main.go:139] mAP=0.3\nF1125 10:22:02.00      14 main.go:457] Failed to Report"
    put_pod(api, "pod", "quick-start-a", {"phase": "Failed", "containerStatuses": statuses}, log)
    reason = "Katib's collector failed, so no metric arrives (exit code 255): Failed to Report"
    assert by_name(fetcher)["quick-start-a"].reason == reason


def test_a_pod_whose_claim_has_no_volume_names_the_claim(api: Api, fetcher: Fetcher) -> None:
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    unbound = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: unbound claims"}
    put_pod(api, "pod", "quick-start-a", {"phase": "Pending", "conditions": [unbound]})
    claims = [{"name": "data", "persistentVolumeClaim": {"claimName": "boxtune-data"}}]
    api.objects[f"{CORE}/pods/pod"]["spec"]["volumes"] = claims
    assert by_name(fetcher)["quick-start-a"].reason == "waits for a node: 0/1 nodes are available: unbound claims"
    api.put(f"{CORE}/persistentvolumeclaims", "boxtune-data", status={"phase": "Pending"})
    about = {"name": "boxtune-data", "kind": "PersistentVolumeClaim"}
    api.put(f"{CORE}/events", "e", involvedObject=about, reason="FailedBinding", message="no storage class is set")
    reason = by_name(fetcher)["quick-start-a"].reason
    assert reason.startswith("waits for a volume: the claim boxtune-data has no volume: no storage class is set; ")


def test_why_there_is_no_trial_yet(api: Api, fetcher: Fetcher) -> None:
    assert fetcher.fetch().waits == ""
    refused = {"name": "quick-start-random-5f", "kind": "ReplicaSet"}
    said = "pods is forbidden: violates PodSecurity"
    api.put(f"{CORE}/events", "e", involvedObject=refused, reason="FailedCreate", message=said, type="Warning")
    assert fetcher.fetch().waits == f"Katib's suggestion service (random) has no pod: {said}"
    labels = {"labels": {"katib.kubeflow.org/suggestion": "quick-start"}}
    stuck = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    one = {"name": "suggestion", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": stuck}
    status = {"phase": "Pending", "containerStatuses": [one]}
    api.put(f"{CORE}/pods", "pod", metadata=labels, spec={"containers": []}, status=status)
    assert fetcher.fetch().waits == ("Katib's suggestion service (random): the image cannot be pulled: no such image")
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    assert fetcher.fetch().waits == ""
    api.objects[f"{KATIB}/experiments/quick-start"]["status"] = {}
    del api.objects[f"{KATIB}/trials/quick-start-a"]
    assert fetcher.fetch().waits.startswith("Katib's controller has not looked at it yet")


def test_a_trial_that_is_another_job_says_why_it_waits(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    """A TFJob, whose pods have names of their own; Katib labels the one whose metrics it collects."""
    pod = quick_start.raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]
    replicas = {"Worker": {"replicas": 1, "template": pod}}
    job = {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "spec": {"tfReplicaSpecs": replicas}}
    spec = {**quick_start.raw["spec"]}
    spec["trialTemplate"] = {**spec["trialTemplate"], "trialSpec": job}
    other = parse_experiment({**quick_start.raw, "spec": spec}, quick_start.config_maps)
    (name,) = quick_start.config_maps
    assert submit(cluster, other, False, False) == [f"configmap/{name} created", "experiment/quick-start created"]
    assert not list(warnings(cluster, other))
    api.objects[f"{KATIB}/experiments/quick-start"]["status"] = true("Created", "Running")
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    put_pod(api, "quick-start-a-worker-0", "", ended(2), "I1125 10:22:01.12      14 main.go:139] no such file")
    labels = api.objects[f"{CORE}/pods/quick-start-a-worker-0"]["metadata"]["labels"]
    labels["katib.kubeflow.org/trial"] = "quick-start-a"
    (trial,) = Fetcher(cluster, "quick-start").fetch().trials
    assert trial.reason == "the request is wrong: no such file"


def test_an_experiment_that_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"^other: neither a run's folder nor an Experiment in the namespace drones"):
        Fetcher(cluster, "other").fetch()
