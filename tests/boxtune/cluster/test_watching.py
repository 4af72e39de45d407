"""Following an Experiment while the connection comes and goes."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from boxtune.cluster import watching
from boxtune.cluster.connection import Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.submission import submit
from boxtune.cluster.watching import watch
from boxtune.errors import ClusterError, Unreachable
from boxtune.experiment.experiment import Experiment
from boxtune.runs.run import Run
from tests.boxtune.cluster.api import KATIB, Api
from tests.boxtune.cluster.test_fetching import OBSERVATION, put_trial, true

EXPERIMENT = f"{KATIB}/experiments/quick-start"


@pytest.fixture
def running(api: Api, cluster: Cluster, quick_start: Experiment, monkeypatch: pytest.MonkeyPatch) -> Fetcher:
    """Of the quick-start with one trial."""
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.1)
    submit(cluster, quick_start, False, False)
    api.objects[EXPERIMENT]["status"] = true("Created", "Running")
    put_trial(api, "quick-start-a", 0, true("Created", "Running"))
    return Fetcher(cluster, "quick-start")


def finish(api: Api) -> None:
    put_trial(api, "quick-start-a", 0, {**true("Created", "Succeeded"), "observation": OBSERVATION})
    api.objects[EXPERIMENT]["status"] = {**true("Created", "Succeeded"), "completionTime": "2026-11-25T10:09:00Z"}


def test_each_change_is_told_once(api: Api, cluster: Cluster, running: Fetcher) -> None:
    told: list[Run] = []

    def changed(run: Run) -> None:
        told.append(run)
        if len(told) == 1:
            threading.Timer(0.5, finish, (api,)).start()

    run = watch(cluster, running, changed, pytest.fail)
    assert list(dict.fromkeys(each.condition for each in told)) == ["Running", "Succeeded"]
    assert all(before != after for before, after in pairwise(told))
    assert run is told[-1]


def test_a_lost_connection_is_said_and_survived(api: Api, cluster: Cluster, running: Fetcher) -> None:
    """Cut in the middle of whatever is under way, away for a while; meanwhile the Experiment ends."""
    notices: list[str] = []

    def changed(run: Run) -> None:
        if run.condition == "Running":
            threading.Timer(0.05, cut).start()

    def cut() -> None:
        api.cut()
        finish(api)
        threading.Timer(3.0, api.restore).start()

    assert watch(cluster, running, changed, notices.append).condition == "Succeeded"
    lost, again = notices
    assert "Connection refused" in lost
    assert lost.endswith("; trying again")
    assert again == "the cluster answers again"


def test_patience_ends(api: Api, cluster: Cluster, running: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PATIENCE_SECONDS", 0.5)
    with pytest.raises(Unreachable, match=r"no cluster at"):
        watch(cluster, running, lambda _: api.cut(), lambda _: None)
    api.restore()


def test_who_never_reached_it_is_told_at_once(api: Api, cluster: Cluster, running: Fetcher) -> None:
    api.cut()
    with pytest.raises(Unreachable):
        watch(cluster, running, lambda _: pytest.fail("it was reached"), pytest.fail)
    api.restore()


def test_an_experiment_that_was_deleted_meanwhile(api: Api, cluster: Cluster, running: Fetcher) -> None:
    def delete(_: Run) -> None:
        api.objects.pop(EXPERIMENT)

    with pytest.raises(ClusterError, match=r"quick-start: neither"):
        watch(cluster, running, delete, pytest.fail)
