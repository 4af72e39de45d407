"""A MODEL_DIR in a bucket: read, killed, gone on with and fought over at any moment, by real processes."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from tests.bucket_faults import Fault, Faults
from tests.trial_entry.storage.writer import contents
from trial_entry.errors import ConflictError
from trial_entry.model_dir import checkpoint_names
from trial_entry.storage.claim import Claim

PLACE = "gs://drones/exp/t1"


class Writer:
    """The program, running."""

    def __init__(self, steps: int, seconds: float, mebibytes: int = 1, place: str = PLACE, **environment: str) -> None:
        import os

        words = [place, steps, seconds, mebibytes]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.trial_entry.storage.writer", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
        )  # fmt: skip

    def line(self) -> str:
        """The next that it prints; empty at its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ended(self) -> tuple[int, str]:
        """Its exit code, and the last line that it said."""
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, (err.strip().splitlines() or [""])[-1]


def texts(bucket: Any, name: str) -> str | None:
    blob = bucket.get_blob(f"exp/t1/{name}")
    return None if blob is None else blob.download_as_bytes().decode()


def state(bucket: Any, mebibytes: int = 1) -> int:
    """The step that a reader finds, having seen that everything that is referred to is whole."""
    text = texts(bucket, "checkpoint")
    if text is None:
        return 0
    (name,) = checkpoint_names(text)
    step = int(name.removeprefix("ckpt-"))
    index, data = contents(step, mebibytes)
    assert texts(bucket, f"{name}.index") == index.decode()
    assert bucket.get_blob(f"exp/t1/{name}.data-00000-of-00001").download_as_bytes() == data
    rows = json.loads(texts(bucket, "metrics.json") or "[]")
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    assert step - 1 <= len(rows) <= step
    best = texts(bucket, "best/checkpoint")
    if best is not None:
        (name,) = checkpoint_names(best)
        assert texts(bucket, f"best/{name}.index") == f"index of {name.removeprefix('ckpt-')}"
    return step


def names(bucket: Any) -> list[str]:
    return sorted(blob.name.removeprefix("exp/t1/") for blob in bucket.list_blobs())


WHOLE = ["best/checkpoint", "best/ckpt-{0}.data-00000-of-00001", "best/ckpt-{0}.index", "checkpoint"]
WHOLE += ["ckpt-{0}.data-00000-of-00001", "ckpt-{0}.index", "metrics.json", "pipeline.config", "trial.json"]


def test_what_is_there_at_the_end_and_that_nothing_stays_here(bucket: Any, tmp_path: Path) -> None:
    assert Writer(3, 0.01).ended() == (0, "")
    assert names(bucket) == [name.format(3) for name in WHOLE]
    assert state(bucket) == 3
    left = [file.name for file in (tmp_path / "cache" / "model_dirs").rglob("*") if file.is_file()]
    assert left == ["trial.lock"]


def test_a_trial_that_starts_on_an_empty_disk_goes_on(bucket: Any, tmp_path: Path) -> None:
    assert Writer(3, 0.01).ended() == (0, "")
    again = Writer(5, 0.01, BOXTUNE_CACHE=str(tmp_path / "elsewhere"))
    assert [again.line(), again.line()] == ["begin 3", "4"]
    assert again.ended() == (0, "")
    assert names(bucket) == [name.format(5) for name in WHOLE]
    assert state(bucket) == 5


def test_a_reader_never_sees_half_of_a_checkpoint(bucket: Any) -> None:
    writer, seen = Writer(12, 0.15, 2), set()
    while writer.process.poll() is None:
        before = texts(bucket, "checkpoint")
        try:
            seen.add(state(bucket, 2))
        except (AssertionError, AttributeError, NotFound):
            if texts(bucket, "checkpoint") == before:  # else it was replaced meanwhile, and the old one went
                raise
    assert writer.ended() == (0, "")
    assert len(seen) > 2


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_the_next_goes_on(bucket: Any, tmp_path: Path, seed: int) -> None:
    """By SIGKILL, also with an empty disk afterwards; nothing that was whole is lost, debris is swept."""
    draw, reached = random.Random(seed), 0
    for _ in range(5):
        writer = Writer(100, 0.05, 2)
        begun = int(writer.line().removeprefix("begin "))
        assert begun >= reached
        time.sleep(draw.uniform(0, 0.8))
        writer.process.kill()
        writer.process.communicate()
        time.sleep(0.1)  # a request that was on its way
        reached = state(bucket, 2)
        assert reached >= begun
        if draw.random() < 0.5:
            shutil.rmtree(tmp_path / "cache" / "model_dirs")
    assert Writer(reached + 1, 0.01, 2).ended() == (0, "")
    assert names(bucket) == [name.format(reached + 1) for name in WHOLE]
    assert state(bucket, 2) == reached + 1


def test_sigterm_waits_until_the_last_checkpoint_is_up(bucket: Any) -> None:
    writer = Writer(100, 0.05, 4)
    while writer.line() != "3":
        pass
    writer.process.send_signal(signal.SIGTERM)
    assert writer.ended() == (143, "stopped by SIGTERM")
    assert state(bucket, 4) >= 3
    assert "trial.lock" not in names(bucket)


def test_of_two_at_once_one_is_refused(bucket: Any, tmp_path: Path) -> None:
    """On two machines, that is with two caches: whoever comes second is told who is there."""
    writers = [Writer(300, 0.05, BOXTUNE_CACHE=str(tmp_path / name)) for name in ("one", "other")]
    while all(writer.process.poll() is None for writer in writers):
        time.sleep(0.05)
    (refused,) = [writer for writer in writers if writer.process.poll() is not None]
    (winner,) = [writer for writer in writers if writer is not refused]
    code, said = refused.ended()
    assert code == 2
    assert said.startswith(f"{PLACE}: in use by process {winner.process.pid} on ")
    assert ", started at 20" in said
    winner.process.send_signal(signal.SIGTERM)
    assert winner.ended()[0] == 143
    assert state(bucket) > 10


def test_on_one_machine_the_lock_refuses_at_once(bucket: Any) -> None:
    first = Writer(300, 0.05)
    first.line()
    code, said = Writer(300, 0.05).ended()
    assert (code, said) == (2, f"{PLACE}: in use by process {first.process.pid}; wait for it or give "
                            "another folder")  # fmt: skip
    first.process.kill()
    first.process.communicate()


@pytest.mark.e2e
def test_one_that_slept_and_was_taken_over_overwrites_nothing(bucket: Any, tmp_path: Path) -> None:
    """A machine that hung for longer than the lease wakes up when another has gone on in its place."""
    first = Writer(300, 0.2, BOXTUNE_CACHE=str(tmp_path / "one"))
    while first.line() != "3":
        pass
    first.process.send_signal(signal.SIGSTOP)
    second = Writer(40, 0.2, BOXTUNE_CACHE=str(tmp_path / "other"))
    begun = int(second.line().removeprefix("begin "))
    assert begun >= 2
    second.line()
    first.process.send_signal(signal.SIGCONT)
    code, said = first.ended()
    assert code == 2
    assert said.startswith(f"{PLACE}: taken over by process {second.process.pid} on ")
    assert second.ended() == (0, "")
    assert names(bucket) == [name.format(40) for name in WHOLE]
    assert state(bucket) == 40


def test_a_claim_that_was_left_behind_is_taken_over_after_its_lease(bucket: Any, tmp_path: Path) -> None:
    left = Claim("gs://drones/claim", tmp_path / "a", lease=2)
    assert not left.take()
    started = time.monotonic()
    taken = Claim("gs://drones/claim", tmp_path / "b", lease=2)
    assert taken.take()
    assert 1 < time.monotonic() - started < 4
    with pytest.raises(ConflictError, match=r"taken over by process \d+ on .*, started at "):
        left.renew()
    taken.release()
    assert not Claim("gs://drones/claim", tmp_path / "c", lease=2).take()


def test_a_claim_that_is_renewed_is_not_taken(bucket: Any, tmp_path: Path) -> None:
    held = Claim("gs://drones/claim", tmp_path / "a", lease=2)
    held.take()
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(0.3):
            held.renew()

    thread = threading.Thread(target=renew)
    thread.start()
    with pytest.raises(ConflictError, match=r"in use by process \d+ on .*; wait for it or give another place"):
        Claim("gs://drones/claim", tmp_path / "b", lease=2).take()
    ended.set()
    thread.join()


def test_whoever_held_the_same_lock_has_ended(bucket: Any, tmp_path: Path) -> None:
    Claim("gs://drones/claim", tmp_path).take()
    started = time.monotonic()
    assert Claim("gs://drones/claim", tmp_path).take()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "POST", about="uploadType=multipart", status=503, times=3),
        Fault("status", "POST", about="uploadType=multipart", status=429, times=3),
        Fault("status", "POST", about="/copyTo/", status=503, times=3),
        Fault("status", "DELETE", status=503, times=3),
        Fault("lose-answer", "POST", about="uploadType=multipart", times=3),
        Fault("lose-answer", "POST", about="/copyTo/", times=2),
        Fault("lose-answer", "DELETE", times=2),
        Fault("cut-request", "POST", about="uploadType=multipart", after=500, times=3),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.method}-{fault.status}-{fault.about}",
)
def test_uploads_survive_a_bad_line(bucket: Any, faults: Faults, fault: Fault) -> None:
    faults.add(fault)
    assert Writer(4, 0.05).ended()[0] == 0
    assert fault.times == 0
    assert names(bucket) == [name.format(4) for name in WHOLE]
    assert state(bucket) == 4


def test_an_outage_longer_than_its_patience_stops_nothing(bucket: Any, faults: Faults) -> None:
    """Training goes on while nothing can go up; what is left goes up afterwards."""
    writer = Writer(60, 0.2, BOXTUNE_STORAGE_SECONDS="2")
    while writer.line() != "2":
        pass
    outage = [faults.add(Fault("status", method, status=503, times=10**6)) for method in ("POST", "PUT", "GET")]
    time.sleep(6)
    for each in outage:
        each.times = 0
    code, said = writer.ended()
    assert code == 0, said
    assert state(bucket) == 60


@pytest.mark.parametrize(("status", "says"), [(403, "forbidden with these credentials"), (401, "not accepted")])
def test_rights_that_are_lost_end_the_trial(bucket: Any, faults: Faults, status: int, says: str) -> None:
    writer = Writer(300, 0.05)
    while writer.line() != "2":
        pass
    faults.add(Fault("status", "POST", status=status, times=10**6))
    code, said = writer.ended()
    assert code == 2
    assert said.startswith("gs://drones/exp/t1/")
    assert says in said


def test_a_bucket_that_is_not_there(bucket: Any) -> None:
    code, said = Writer(3, 0.05, place="gs://nowhere/t").ended()
    assert code == 2
    assert said == "gs://nowhere/t/trial.lock: no such bucket; gcloud storage buckets create makes one"


def test_what_somebody_edits_is_not_overwritten(bucket: Any) -> None:
    writer = Writer(300, 0.05)
    while writer.line() != "2":
        pass
    bucket.blob("exp/t1/metrics.json").upload_from_string("[]")
    code, said = writer.ended()
    assert code == 2
    assert said == f"{PLACE}: somebody else has written there meanwhile; this process leaves it as it is and ends"
    assert texts(bucket, "metrics.json") == "[]"
    with suppress(ProcessLookupError):
        writer.process.kill()
