"""The Experiments on the real Katib: its webhook on each of them; searches, beside what boxtune says of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from boxtune.delivery.model import open_model
from boxtune.delivery.training_record import read_training
from tests.boxtune.checking.test_check import CORPUS, NAMES, found, written
from tests.conftest import EXPERIMENTS
from tests.e2e.kubectl import kubectl, kubectl_json, succeeds
from tests.e2e.searches import boxtune, experiment_file, measured, short, shown, status, submitted

FILES = sorted(EXPERIMENTS.glob("*.yaml"))
pytestmark = pytest.mark.usefixtures("katib")
FIXED_BATCH = "4"
SEARCHES = {  # what is searched, with how many trials
    "random-search": 2,
    "grid-search": 2,
    "feature-extractor": 3,
    "bayesian": 2,
    "evolutionary": 2,
}


def webhook(file: Path, namespace: str) -> str:
    """What Katib's webhook has against an Experiment; empty where it accepts."""
    experiment = next(part for part in file.read_text().split("\n---\n") if "\nkind: Experiment\n" in f"\n{part}\n")
    done = subprocess.run(
        ["kubectl", "create", "-n", namespace, "--dry-run=server", "-f", "-"],
        input=experiment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_webhook_accepts_every_experiment(namespace: str, file: Path) -> None:
    assert webhook(file, namespace) == ""


@pytest.mark.parametrize("entry", CORPUS, ids=NAMES)
def test_the_webhook_s_word_is_the_corpus_s(namespace: str, entry: dict[str, Any], tmp_path: Path) -> None:
    """What it refuses, `check` refuses too; and what `check` lets pass, it accepts."""
    file = written(tmp_path, entry)
    refused = webhook(file, namespace)
    assert ("refused" if refused else "accepted") == entry["webhook"], refused
    if refused:
        assert any(each.severity == "error" for each in found(file, entry))


@pytest.fixture(params=SEARCHES)
def search(request: pytest.FixtureRequest, namespace: str, image: str, data: Path, tmp_path: Path) -> Path:
    """The file of a short search: a few trials of four steps."""
    file, more = experiment_file(request.param), ["--set=num_steps=4"]
    if "name: batch_size" not in file.read_text():
        more.append(f"--set=batch_size={FIXED_BATCH}")
    counts = {"maxTrialCount": SEARCHES[request.param], "maxFailedTrialCount": 1}
    return short(file, tmp_path, image, *more, lists={"batch_size": ("4", "8")}, **counts)


def test_a_search_succeeds_and_boxtune_says_the_same_of_it(
    namespace: str, search: Path, data: Path, tmp_path: Path
) -> None:
    where = f"--namespace={namespace}"
    with submitted(search, namespace) as name:
        assert "is there already, the same" in boxtune("submit", str(search), where)
        watched = boxtune("watch", name, where)
        katib_s = status(namespace, name)
        assert [each["type"] for each in katib_s["conditions"] if each["status"] == "True"][-1] == "Succeeded"
        assert katib_s["trialsSucceeded"] == SEARCHES[name]
        values = measured(namespace, name)
        assert len(values) == SEARCHES[name]
        optimal = katib_s["currentOptimalTrial"]
        best = optimal["bestTrialName"]
        assert values[best] == max(values.values())
        ours = shown(namespace, name)
        assert ours["currentOptimalTrial"]["bestTrialName"] == best
        assert ours["currentOptimalTrial"]["observation"] == optimal["observation"]
        assert {each["name"]: each["condition"] for each in ours["trialDetails"]} == dict.fromkeys(values, "Succeeded")
        assert best.removeprefix(f"{name}-") in watched
        config = boxtune("best", name, where, f"--volume=data={data}")
        assigned = {each["name"]: each["value"] for each in optimal["parameterAssignments"]}
        assert f"train_config {{\n  batch_size: {assigned.get('batch_size', FIXED_BATCH)}\n" in config
        if name == "grid-search":  # one training is like another
            boxtune("train", name, where, f"--volume=data={data}", f"--out={tmp_path / 'model'}")
            model = open_model(str(tmp_path / "model"))
            assert model.step == "4"
            training = read_training(model.home)
            assert training is not None
            assert (training.experiment, training.trial) == (name, best)
            assert training.assignments == assigned
        assert "deleted" in boxtune("cancel", name, where)
        assert not succeeds("get", "experiment", name, "-n", namespace)


def test_confirm_repeats_the_best_and_the_base_config_as_jobs_beside_the_experiment(
    namespace: str, image: str, data: Path, tmp_path: Path
) -> None:
    where = f"--namespace={namespace}"
    more, counts = ("--set=num_steps=4",), {"maxTrialCount": 2, "maxFailedTrialCount": 1}
    file = short(experiment_file("random-search"), tmp_path, image, *more, lists={"batch_size": ("4", "8")}, **counts)
    with submitted(file, namespace) as name:
        said = boxtune("submit", str(file), "--confirm", where)
        jobs = repeats_of(namespace, name)
        assert len({args_of(job)["--seed"] for job in jobs}) == len(jobs), "a seed each"
        confirmed = shown(namespace, name)["confirmation"]
        repeats = [each for side in ("winner", "base") for each in confirmed[side]["repeats"]]
        assert {each["name"] for each in repeats} <= {job["metadata"]["name"] for job in jobs}
        assert len(confirmed["base"]["repeats"]) == len(confirmed["winner"]["repeats"]) == 3
        assert confirmed["split"] == "validation"
        assert all(f"mAP={each['value']}" in printed_by_job(namespace, each["name"]) for each in repeats)
        assert "on the validation split" in said
        assert "created" not in boxtune("confirm", name, where), "nothing is missing"
        assert len(repeats_of(namespace, name)) == len(jobs)
        assert "deleted" in boxtune("cancel", name, where)
        assert repeats_of(namespace, name) == []


def repeats_of(namespace: str, experiment: str) -> list[dict[str, Any]]:
    """The Jobs that repeat its trials."""
    selector = f"app.kubernetes.io/instance={experiment},app.kubernetes.io/component=repeat"
    return list(kubectl_json("get", "jobs", "-n", namespace, "-l", selector)["items"])


def args_of(job: dict[str, Any]) -> dict[str, str]:
    """Its container's flags."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return dict(each.partition("=")[::2] for each in [*container.get("command", []), *container.get("args", [])])


def printed_by_job(namespace: str, job: str) -> str:
    """The log of its pod."""
    return kubectl("logs", f"job/{job}", "-n", namespace)
