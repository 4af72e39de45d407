"""A search on a cluster, confirmed: its repeats are Jobs beside it, and come with the run from then on."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable

import pytest

from boxtune.cluster import watching
from boxtune.cluster.cancelling import cancel
from boxtune.cluster.confirming import confirm
from boxtune.cluster.connection import Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.submission import submit
from boxtune.errors import ExperimentFailed, InputError
from boxtune.experiment.experiment import Experiment
from boxtune.runs.confirmation import Verdict
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Role
from boxtune.search.repeating import plan
from tests.boxtune.cluster.api import JOBS, KATIB, Api
from tests.boxtune.cluster.test_fetching import ended, put_pod, put_trial, true

VALUES = {"quick-start-a": 0.3, "quick-start-b": 0.35, "quick-start-c": 0.2, "quick-start-d": 0.1}
ASSIGNED = {"batch_size": "8", "nms_iou_threshold": "0.5"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks are quick."""
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.05)


@pytest.fixture
def over(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    """The quick-start's search, over, and a cluster that ends each repeat as soon as it is made."""
    submit(cluster, quick_start, False, False)
    api.objects[f"{KATIB}/experiments/quick-start"]["status"] = {
        **true("Created", "Succeeded"),
        "completionTime": "2026-11-25T11:00:00Z",
    }
    for place, (name, value) in enumerate(VALUES.items()):
        observation = {"metrics": [{"name": "mAP", "min": "0", "max": "1", "latest": str(value)}]}
        status = {**true("Created", "Succeeded"), "observation": observation}
        put_trial(api, name, place, status, learning_rate=f"0.00{place + 1}", **ASSIGNED)


def trains(api: Api, fails: str = "", diverges: str = "") -> None:
    """Let each repeat give its trial's value, and a little by its number; those of `fails` run out of memory, those of
    `diverges` have no number.
    """

    def after(method: str, path: str) -> None:
        if (method, path) != ("POST", JOBS):
            return
        for name, job in [(path.rpartition("/")[2], each) for path, each in api.objects.items() if JOBS in path]:
            if job.get("status"):
                continue
            has_failed = bool(fails) and name.startswith(fails)
            job["status"] = {"failed": 1} if has_failed else {"succeeded": 1, "startTime": "2026-11-25T12:00:00Z"}
            put_pod(api, f"{name}-p", name, ended(3) if has_failed else {"phase": "Succeeded"})
            repeated, number = name.rsplit("-repeat-", 1)
            value = VALUES.get(repeated, 0.25) + int(number) / 1000 if repeated != diverges else math.nan
            api.logs[f"{name}-p", "trial"] = f"2026-11-25T12:00:00.000001Z mAP={value}\n"

    api.after = after


def confirmed(cluster: Cluster, repeats: int = 3) -> Run:
    return confirm(cluster, "quick-start", repeats, lambda run: None, lambda text: None)


@pytest.mark.usefixtures("over")
def test_repeats_are_jobs_with_another_seed(api: Api, cluster: Cluster) -> None:
    trains(api)
    run = confirmed(cluster)
    made = {path.rpartition("/")[2]: job for path, job in api.objects.items() if path.startswith(f"{JOBS}/")}
    first = {f"quick-start-{name}-repeat-1" for name in "abc"}
    base = {f"quick-start-baseline-repeat-{number}" for number in (1, 2, 3)}
    assert made.keys() == first | base | {f"quick-start-b-repeat-{number}" for number in (2, 3)}
    seeds = set()
    for name, job in made.items():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert not any("${" in text for text in container["args"])
        [seed] = [text for text in container["args"] if text.startswith("--seed=")]
        seeds.add(seed)
        assert job["metadata"]["annotations"]["boxtune/repeats"] == name.rpartition("-repeat-")[0]
        assert job["metadata"]["labels"]["app.kubernetes.io/component"] == Role.REPEAT
        assert "--set=learning_rate=0.002" in shlex.join(container["args"]) or not name.startswith("quick-start-b-")
    assert len(seeds) == len(made)
    assert "--seed=1" not in seeds
    assert json.loads(made["quick-start-baseline-repeat-1"]["metadata"]["annotations"]["boxtune/assignments"])

    found = run.confirmation
    assert found is not None
    assert (found.winner.trial, found.split) == ("quick-start-b", "validation")
    assert found.verdict is Verdict.BETTER
    assert found.gain.value == pytest.approx(0.1, abs=0.001)
    assert Fetcher(cluster, "quick-start").fetch().confirmation == found, "show and report fetch the same"
    assert len(run.trials) == 4

    before = len(made)
    confirmed(cluster)
    assert sum(path.startswith(f"{JOBS}/") for path in api.objects) == before, "nothing is missing"
    confirmed(cluster, 4)
    assert sum(path.startswith(f"{JOBS}/") for path in api.objects) == before + 2
    assert len([line for line in cancel(cluster, "quick-start") if "-repeat-" in line]) == before + 2


@pytest.mark.usefixtures("over")
def test_repeats_that_fail(api: Api, cluster: Cluster) -> None:
    trains(api, fails="quick-start-baseline")
    with pytest.raises(ExperimentFailed, match=r"too few repeats gave a value; the last .* out of memory"):
        confirmed(cluster)
    trains(api)
    run = confirmed(cluster)
    assert run.confirmation is not None
    assert list(run.confirmation.samples[1].values) == [f"quick-start-baseline-repeat-{number}" for number in (4, 5, 6)]


@pytest.mark.usefixtures("over")
def test_a_repeat_without_a_number_is_no_value(api: Api, cluster: Cluster) -> None:
    trains(api, diverges="quick-start-b")
    found = confirmed(cluster).confirmation
    assert found is not None
    assert found.winner.trial == "quick-start-a", "the best did not come again"
    conditions = {each.name: each.condition for each in Fetcher(cluster, "quick-start").fetch().repeats}
    assert conditions["quick-start-b-repeat-1"] is Condition.METRICS_UNAVAILABLE


def test_what_cannot_be_confirmed(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    submit(cluster, quick_start, False, False)
    with pytest.raises(InputError, match="the search goes on"):
        confirmed(cluster)
    status = {**true("Created", "Succeeded"), "completionTime": "2026-11-25T11:00:00Z"}
    api.objects[f"{KATIB}/experiments/quick-start"]["status"] = status
    with pytest.raises(InputError, match="no trial has succeeded, so there is nothing to confirm"):
        confirmed(cluster)


@pytest.mark.usefixtures("over")
def test_no_more_at_a_time_than_its_trials(api: Api, cluster: Cluster) -> None:
    """Two, as parallelTrialCount says, until one of them ends."""

    def begun(method: str, path: str) -> None:
        for name, job in api.objects.items():
            if name.startswith(f"{JOBS}/"):
                job.setdefault("status", {"active": 1})

    api.after = begun
    with pytest.raises(KeyboardInterrupt):
        confirm(cluster, "quick-start", 3, _interrupting_at_the_third_look(), lambda text: None)
    run = Fetcher(cluster, "quick-start").fetch()
    assert [trial.name for trial in run.repeats] == ["quick-start-a-repeat-1", "quick-start-b-repeat-1"]
    assert run.confirmation is None
    assert plan(run, None, 3).winner is None


def _interrupting_at_the_third_look() -> Callable[[Run], None]:
    looks: list[Run] = []

    def changed(run: Run) -> None:
        looks.append(run)
        if len(looks) == 3:
            raise KeyboardInterrupt

    return changed
