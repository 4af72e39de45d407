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
from tests.e2e.kubectl import succeeds
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
