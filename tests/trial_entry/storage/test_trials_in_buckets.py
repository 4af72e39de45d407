"""Real trials whose every path is in a bucket."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from tests.buckets import upload
from tests.conftest import write_config
from tests.forks import Run
from tests.trials import Ended, Running, run, train_arguments, trial
from trial_entry.contract.exit_codes import EXIT_STOPPED
from trial_entry.storage.snapshot import relative_files

PLACE = "gs://drones/exp/t1"
pytestmark = pytest.mark.e2e


@pytest.fixture
def config(bucket: Any, data: Path) -> str:
    """Data and config in the bucket; the config names the data by relative paths."""
    upload(bucket, data, "data")
    return "gs://drones/data/pipeline.config"


def arguments(config: str, *more: str) -> list[str]:
    return [f"--pipeline_config_path={config}", f"--model_dir={PLACE}", "--seed=1", "--deterministic", *more]


def values(ended: Ended) -> list[tuple[str, float]]:
    return [(name, value) for _, name, value in ended.metrics if "per_second" not in name]


def steps(bucket: Any) -> list[int]:
    """The steps of metrics.json in the bucket."""
    blob = bucket.get_blob("exp/t1/metrics.json")
    return [] if blob is None else [row["step"] for row in json.loads(blob.download_as_bytes())]


def names(bucket: Any, prefix: str = "exp/t1/") -> set[str]:
    """Relative names of what is there, of events without time and process."""
    found = {blob.name.removeprefix(prefix) for blob in bucket.list_blobs(prefix=prefix)}
    return {re.sub(r"tfevents.*", "tfevents", name) for name in found}


def test_a_trial_whose_every_path_is_in_a_bucket(
    bucket: Any, config: str, data: Path, tmp_path: Path, forked: Run
) -> None:
    """The same numbers and files as with folders; then evaluated, and gone on with on an empty disk."""
    more = ("--eval_every_n=3", "--seed=1", "--deterministic")
    here = forked(*train_arguments(data / "pipeline.config", tmp_path / "model", *more))
    assert here.code == 0, here.err
    there = forked(*arguments(config, "--eval_every_n=3"))
    assert there.code == 0, there.err
    assert values(there) == values(here)
    left = {re.sub(r"tfevents.*", "tfevents", name) for name in relative_files(tmp_path / "model")}
    assert names(bucket) == left - {"trial.lock"}
    record = json.loads(bucket.blob("exp/t1/trial.json").download_as_bytes())
    for key in ("config_digest", "data_digests", "steps", "reason"):
        assert record[key] == trial(tmp_path / "model")[key]
    assert '"gs://drones/data/train.record"' in bucket.blob("exp/t1/pipeline.config").download_as_bytes().decode()

    evaluated = forked("evaluate", f"--pipeline_config_path={config}", f"--model_dir={PLACE}")
    assert evaluated.code == 0, evaluated.err
    found = json.loads(bucket.blob("exp/t1/evaluation.json").download_as_bytes())
    assert (found["checkpoint"], found["step"]) == (f"{PLACE}/ckpt-6", 6)

    shutil.rmtree(tmp_path / "cache")
    again = forked(*arguments(config, "--eval_every_n=3"))
    assert again.code == 0, again.err
    assert again.metrics == there.metrics
    assert "finished before, at step 6" in again.err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_trial_that_was_ended_goes_on_from_the_bucket(
    bucket: Any, config: str, data: Path, tmp_path: Path, number: signal.Signals, forked: Run
) -> None:
    write_config(data, "long.config", **{"_steps: 6": "_steps: 400"})
    bucket.blob("data/long.config").upload_from_filename(str(data / "long.config"))
    more = arguments("gs://drones/data/long.config", "--checkpoint_every_n=5", "--eval_every_n=10")
    running = Running(*more)
    running.wait_for(lambda: len(steps(bucket)) >= 1)
    ended = running.kill(number)
    if number == signal.SIGTERM:
        assert ended.code == EXIT_STOPPED, ended.err
        assert json.loads(bucket.blob("exp/t1/trial.json").download_as_bytes())["reason"] == "stopped by SIGTERM"
        assert "trial.lock" not in names(bucket)
    measured = steps(bucket)
    shutil.rmtree(tmp_path / "cache" / "model_dirs")
    target = f"--num_train_steps={measured[-1] + 10}"
    again = forked(*more, target)
    assert again.code == 0, again.err
    reached = int(re.findall(r"going on from step (\d+)", again.err)[0])
    assert reached >= measured[-1]
    assert len([name for _, name, _ in again.metrics if name == "mAP"]) == len(steps(bucket))
    assert [*range(10, measured[-1] + 11, 10)] == steps(bucket)
    assert len([name for name in names(bucket) if name.startswith("ckpt-")]) == 2


def test_stop_finds_a_trial_of_this_machine(bucket: Any, config: str, data: Path) -> None:
    write_config(data, "long.config", **{"_steps: 6": "_steps: 4000"})
    bucket.blob("data/long.config").upload_from_filename(str(data / "long.config"))
    running = Running(*arguments("gs://drones/data/long.config", "--checkpoint_every_n=2"))
    running.wait_for(lambda: "ckpt-2.index" in names(bucket))
    stopped = run("stop", f"--model_dir={PLACE}")
    assert stopped.code == 0, stopped.err
    _, err = running.process.communicate()
    assert running.process.returncode == EXIT_STOPPED, err
    assert run("stop", f"--model_dir={PLACE}").code == 0


def test_another_config_in_the_bucket_is_refused(bucket: Any, config: str, forked: Run) -> None:
    bucket.blob("exp/t1/pipeline.config").upload_from_string("model { }\n")
    ended = forked(*arguments(config))
    assert ended.code == 2
    assert ended.reason.startswith(f"{PLACE}/pipeline.config: another config has run here")
    assert names(bucket) == {"pipeline.config"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "--pipeline_config_path=gs://drones/none", "--model_dir=m"], "gs://drones/none: no such object"),
        (["train", "--pipeline_config_path=gs://", "--model_dir=m"], "write gs://BUCKET/PREFIX"),
        (["evaluate", "--pipeline_config_path={config}", "--model_dir=gs://drones/n"], "gs://drones/n: no checkpoint"),
        (["build", "--pipeline_config_path={config}", "--model_dir=gs://drones/no"], "must be a path of this machine"),
        (
            ["evaluate", "--pipeline_config_path={config}", "--model_dir=m", "--output=gs://drones/x"],
            "gs://drones/x: must be a path of this machine here",
        ),
    ],
)
def test_what_cannot_be_is_a_line(config: str, words: list[str], says: str) -> None:
    ended = run(*(word.format(config=config) for word in words))
    assert ended.code == 2, ended.err
    assert says in ended.reason


def test_sigterm_ends_a_trial_that_still_fetches(bucket: Any, config: str, faults: Faults) -> None:
    faults.add(Fault("slow", about="/download/storage/v1/b/drones/o/data/train.record", after=30, times=9))
    running = Running(*arguments(config))
    running.wait_for(lambda: any("alt=media" in each and "train.record" in each for each in faults.requests))
    started = time.monotonic()
    ended = running.kill(signal.SIGTERM)
    assert (ended.code, ended.reason) == (EXIT_STOPPED, "stopped by SIGTERM before the first step")
    assert time.monotonic() - started < 5


def test_rungs_below_a_root_in_a_bucket(bucket: Any, config: str, data: Path, tmp_path: Path, forked: Run) -> None:
    """Each on an empty disk, as pods have; and `stop` finds the one of this machine by the root alone."""
    root = "gs://drones/roots"
    more = [f"--pipeline_config_path={config}", f"--model_root={root}", "--seed=1", "--set=num_steps=4000"]
    first = forked(*more, "--num_train_steps=2")
    assert first.code == 0, first.err
    (place,) = {blob.name.split("/")[1] for blob in bucket.list_blobs(prefix="roots/")}
    record = json.loads(bucket.blob(f"roots/{place}/trial.json").download_as_bytes())
    assert (place, record["model_dir"]) == (f"{record['config_digest'][:16]}-1", f"{root}/{place}")
    shutil.rmtree(tmp_path / "cache" / "model_dirs")
    second = forked(*more, "--num_train_steps=4")
    assert second.code == 0, second.err
    assert second.out.startswith(first.out)
    assert "going on from step 2, to 4" in second.err
    running = Running(*more, "--checkpoint_every_n=2")
    running.wait_for(lambda: "ckpt-6.index" in names(bucket, f"roots/{place}/"))
    stopped = run("stop", f"--model_root={root}")
    assert stopped.code == 0, stopped.err
    _, err = running.process.communicate()
    assert running.process.returncode == EXIT_STOPPED, err
