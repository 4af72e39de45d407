"""The step that searches within itself, and what a restarted one goes on with; trials are small programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from boxtune.cluster.searching import search_name
from boxtune.errors import ExperimentFailed
from boxtune.experiment.loading import load_experiment
from boxtune.local.engine import LocalEngine
from boxtune.local.options import RunOptions
from boxtune.local.reading import open_run
from boxtune.report.progress_lines import PlainListener
from boxtune.runs.run import Run, RunCondition
from pipelines.steps.digests import LOCAL
from pipelines.steps.given import place_digest, written
from pipelines.steps.keeping import Keep, KeepingListener, KeptInBucket, KeptInFolder, keep_from
from pipelines.steps.search import SearchAsked, search
from pipelines.steps.values import Values
from tests.experiments import container, shell_experiment, write

RUN_ID = "6f9a0c1e"
_STEP = """
import sys
from pathlib import Path
from pipelines.steps.ending import end
from pipelines.steps.search import SearchAsked, search
from pipelines.steps.values import Values
text, data, journal, uri, out = Path(sys.argv[1]).read_text(), *sys.argv[2:]
asked = SearchAsked(text, "local", "data", data, "", {}, run_id="6f9a0c1e", journal=journal)
end(search, asked, Path(out), uri, {}, Values(Path(out + "-metrics"), {}))
"""


def experiment(folder: Path, script: str, **spec: Any) -> Path:
    """Whose trials mount the volume `data`."""
    made = shell_experiment(script, **({"parallelTrialCount": 1, "maxTrialCount": 3} | spec))
    container(made)["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    pod = made["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "records"}}]
    return write(folder / "experiment.yaml", made)


def asked(file: Path, data: Path, **more: Any) -> SearchAsked:
    return SearchAsked(file.read_text(), LOCAL, "data", str(data), "", {}, **more)


def test_what_is_left_is_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_text("0.5")
    file = experiment(tmp_path, "echo score=$(cat /data/x)")
    about, metrics = dict[str, object](), Values(tmp_path / "metrics", {})
    search(asked(file, tmp_path / "data"), tmp_path / "run", "", about, metrics)
    run = open_run(tmp_path / "run")
    assert run.condition is RunCondition.SUCCEEDED
    assert metrics.metadata == {"best_score": 0.5, "trials": 3, "failed_trials": 0}
    assert about["best_trial"] == "shell-0001"
    said = capsys.readouterr().out
    assert "shell-0003 succeeded after" in said
    assert "next:" not in said


def test_another_claim_is_seen_where_the_step_mounts_it_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "pretrained" / "x").write_text("0.25")
    file = experiment(tmp_path, f"echo score=$(cat {tmp_path}/pretrained/x)")
    made = yaml.safe_load(file.read_text())
    container(made)["volumeMounts"].append({"name": "more", "mountPath": f"{tmp_path}/pretrained"})
    pod = made["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "more", "persistentVolumeClaim": {"claimName": "checkpoints"}})
    metrics = Values(tmp_path / "metrics", {})
    search(asked(write(file, made), tmp_path / "data"), tmp_path / "run", "", {}, metrics)
    assert metrics.metadata["best_score"] == 0.25


def test_a_search_that_failed_fails(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = experiment(tmp_path, "echo no luck; exit 1", maxFailedTrialCount=1)
    with pytest.raises(ExperimentFailed, match="no luck"):
        search(asked(file, tmp_path / "data"), tmp_path / "run", "", {}, Values(tmp_path / "metrics", {}))


def killed_after_the_first_trial(arguments: list[str], log: Path) -> None:
    step = subprocess.Popen([sys.executable, "-c", _STEP, *arguments], stdout=subprocess.PIPE, text=True)
    assert step.stdout is not None
    for line in step.stdout:
        if "shell-0002 started" in line:
            break
    while "start shell-0002" not in log.read_text():
        time.sleep(0.05)
    os.kill(step.pid, signal.SIGKILL)
    step.wait()


@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_a_step_whose_pod_was_killed_goes_on(tmp_path: Path, s3_bucket: Any, kind: str) -> None:
    """By the run's id in the artifact's URI, though the next pod's artifact is another and its disk is empty."""
    log, data = tmp_path / "log", tmp_path / "data"
    data.mkdir()
    log.touch()
    seconds = "1"
    script = f'echo "start $KATIB_TRIAL_NAME" >> {log}; sleep {seconds}; echo "end $KATIB_TRIAL_NAME" >> {log}; '
    file = experiment(tmp_path, script + "echo score=$X")
    journal = "" if kind == "bucket" else str(tmp_path / "claim")
    uri = f"s3://drones/v2/artifacts/tune/{RUN_ID}/search/{{}}/run"
    arguments = [str(file), str(data), journal]
    killed_after_the_first_trial([*arguments, uri.format(1), str(tmp_path / "first")], log)
    again = subprocess.run(
        [sys.executable, "-c", _STEP, *arguments, uri.format(2), str(tmp_path / "second")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    lines = log.read_text().split("\n")
    assert lines.count("start shell-0001") == 1
    assert lines.count("start shell-0002") == 2
    assert lines.count("end shell-0003") == 1
    run = open_run(tmp_path / "second")
    assert [trial.name for trial in run.trials] == ["shell-0001", "shell-0002", "shell-0003"]
    assert run.condition is RunCondition.SUCCEEDED
    assert not (tmp_path / "second").is_symlink()  # KFP would upload a link to nothing


def test_a_store_that_is_away_in_the_middle_ends_in_a_line(tmp_path: Path, s3_bucket: Any) -> None:
    (tmp_path / "data").mkdir()
    file = experiment(tmp_path, "echo score=$X")
    uri = f"s3://nowhere/artifacts/{RUN_ID}/search/1/run"
    arguments = [str(file), str(tmp_path / "data"), "", uri, str(tmp_path / "run")]
    ended = subprocess.run(
        [sys.executable, "-c", _STEP, *arguments], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("boxtune: s3://nowhere")
    assert "Traceback" not in ended.stderr


def test_a_store_that_goes_away_later_ends_nothing(
    tmp_path: Path, s3_bucket: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    file = experiment(tmp_path, "sleep 1; echo score=$X", maxTrialCount=2)

    class Removing(KeptInBucket):
        """A bucket that somebody removes once the journal is there."""

        def put(self, run: Run, out: Path) -> None:
            super().put(run, out)
            for each in s3_bucket.list_objects_v2(Bucket="drones").get("Contents", []):
                s3_bucket.delete_object(Bucket="drones", Key=each["Key"])
            s3_bucket.delete_bucket(Bucket="drones")

    found, out = load_experiment(file), tmp_path / "run"
    listener = KeepingListener(PlainListener(Console(width=300)), Removing("s3://drones/searches"), out)
    run = LocalEngine(found, out, RunOptions(volumes={"data": tmp_path / "data"}), listener).run()
    assert run.condition is RunCondition.SUCCEEDED
    assert "what ended is not kept for a restart: s3://drones" in capsys.readouterr().out


def test_where_a_search_is_kept() -> None:
    uri = f"minio://mlpipeline/v2/artifacts/tune/{RUN_ID}/search/1/run"
    assert isinstance(keep_from("", uri, RUN_ID, "digits", "d1"), KeptInBucket)
    assert type(keep_from("", "/tmp/outputs/search/run", RUN_ID, "digits", "d1")) is Keep
    assert isinstance(keep_from("gs://bucket/searches", uri, RUN_ID, "digits", "d1"), KeptInBucket)
    kept = keep_from("/claim", uri, RUN_ID, "digits", "d1")
    assert isinstance(kept, KeptInFolder)
    assert kept.folder(Path("/out")).parent == Path("/claim")
    assert kept.folder(Path("/out")).name.startswith("digits-")
    assert keep_from("/claim", uri, "other", "digits", "d1").folder(Path("/out")) == kept.folder(Path("/out"))


def test_other_data_begin_a_search_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Behind the same Experiment and journal: the trials of other data are none of this search's."""
    file = experiment(tmp_path, "echo score=$(cat /data/x)", maxTrialCount=1, maxFailedTrialCount=1)
    for score in ("0.5", "0.25"):
        data = tmp_path / f"data{score}"
        data.mkdir()
        (data / "x").write_text(score)
        dataset = {"place": str(data), "sha256": place_digest(str(data))}
        for again in ("first", "second"):
            given = SearchAsked(file.read_text(), LOCAL, "data", "", "", dataset, journal=str(tmp_path / "journal"))
            metrics = Values(tmp_path / "metrics", {})
            search(given, tmp_path / f"{score}-{again}", "", {}, metrics)
            assert metrics.metadata["best_score"] == float(score)
            assert ("shell-0001 started" in capsys.readouterr().out) == (again == "first")


def test_two_runs_never_share_a_journal_in_a_bucket(tmp_path: Path, s3_bucket: Any) -> None:
    file = experiment(tmp_path, "echo score=$X", maxTrialCount=1, maxFailedTrialCount=1)
    (tmp_path / "data").mkdir()
    for run_id in ("one", "two"):
        uri = f"s3://drones/v2/artifacts/tune/{run_id}/search/1/run"
        given = asked(file, tmp_path / "data", run_id=run_id, journal="s3://drones/searches")
        search(given, tmp_path / run_id, uri, {}, Values(tmp_path / "metrics", {}))
    keys = [each["Key"] for each in s3_bucket.list_objects_v2(Bucket="drones", Prefix="searches/")["Contents"]]
    places = {key.split("/")[1] for key in keys}
    assert {place.rpartition("-")[2] for place in places} == {"one", "two"}


def test_the_experiment_of_a_run_has_one_name(tmp_path: Path) -> None:
    found = load_experiment(written(experiment(tmp_path, "echo score=1").read_text()))
    assert search_name("tune-and-train-x7k2p", found.name) == search_name("tune-and-train-x7k2p", found.name)
    assert len(search_name("import-tune-and-train-x7k2p-and-more", found.name)) <= 40
