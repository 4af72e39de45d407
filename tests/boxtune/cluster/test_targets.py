"""A run by its folder, or a search by its name on a cluster: every command that takes a run takes both."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import TrialState

from boxtune.cli.main import run_command
from boxtune.cli.targets import follow_target
from boxtune.cluster.connection import Cluster
from boxtune.cluster.submission import submit
from boxtune.dashboard.storage import RunStorage
from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import Experiment
from tests.boxtune.cluster.api import KATIB, NAMESPACE, Api
from tests.boxtune.cluster.test_fetching import OBSERVATION, put_trial, true

ASSIGNMENTS = {"learning_rate": "0.002", "batch_size": "8", "nms_iou_threshold": "0.6"}


@pytest.fixture
def searched(
    api: Api, cluster: Cluster, quick_start: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Api:
    """The quick-start on a cluster, with one trial; and a folder of its name here."""
    submit(cluster, quick_start, False, False)
    api.objects[f"{KATIB}/experiments/quick-start"]["status"] = true("Created", "Running")
    put_trial(api, "quick-start-a", 0, {**true("Created", "Succeeded"), "observation": OBSERVATION}, **ASSIGNMENTS)
    (tmp_path / "here" / "quick-start").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    return api


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_name_with_a_namespace_is_a_search(searched: Api, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([command, "quick-start"]) == 2
    assert "quick-start: no run lies here" in capsys.readouterr().err
    assert run_command([command, "quick-start", "-n", NAMESPACE]) == 0


def test_the_report_of_a_search(searched: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", "quick-start", "-n", NAMESPACE]) == 0
    file = Path(capsys.readouterr().out.strip())
    assert file == Path("quick-start-report.html")
    page = file.read_text(encoding="utf-8")
    assert "checkpoint is not on this machine" in page
    assert "Not shown: quick-start-a: epochs: the number of steps depends on the training examples" in page
    assert f"boxtune train quick-start --namespace {NAMESPACE} --volume data=DIR" in page
    assert run_command(["report", "quick-start", "-n", NAMESPACE, "--evaluation"]) == 2
    assert "--evaluation: the checkpoints of quick-start are on its cluster" in capsys.readouterr().err


def test_the_dashboard_of_a_search(searched: Api) -> None:
    with pytest.raises(RunFolderError, match="no run lies here"):
        RunStorage(follow_target("quick-start", None, None))
    source = follow_target("quick-start", None, NAMESPACE)
    storage = RunStorage(source)
    (trial,) = storage.get_all_trials(1)
    assert (trial.state, trial.user_attrs["name"]) == (TrialState.COMPLETE, "quick-start-a")
    assert trial.params == {"learning_rate": 0.002, "batch_size": "8", "nms_iou_threshold": 0.6}
    asked = len(searched.asked)
    storage.refresh()
    assert len(searched.asked) == asked, "an answer is good for a few seconds"
