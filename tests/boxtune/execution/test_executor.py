"""The executor alone, with real processes: it knows jobs, and nothing of Experiments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boxtune.errors import ExperimentError, RunFolderError
from boxtune.execution import processes
from boxtune.execution.executor import Executor
from boxtune.execution.jobs import EndedJob, Job
from boxtune.execution.resources import Shares
from tests.experiments import processes_of


def job(folder: Path, name: str, script: str, deadline: float | None = None) -> Job:
    """A job that runs a shell line."""
    return Job(name, ["sh", "-c", script], dict(os.environ), folder, folder / f"{name}.log", deadline)


def executor(folder: Path, parallel: int = 2, stall_seconds: float = 600.0) -> Executor:
    return Executor(folder, folder / "lock", Shares(parallel, 0, []), stall_seconds)


def to_the_end(running: Executor) -> dict[str, EndedJob]:
    """Every job's end, by name."""
    ended = {}
    while running.running:
        running.wait()
        running.end_overdue()
        ended.update({each.job.name: each for each in running.collect_ended()})
    return ended


def test_a_job_ends_with_its_code_and_its_output_is_at_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "good.log").write_text("before\n")
    with executor(tmp_path) as running:
        running.start(job(tmp_path, "good", "echo out; echo err >&2"))
        running.start(job(tmp_path, "bad", "exit 7"))
        assert set(running.running) == {"good", "bad"}
        ended = to_the_end(running)
    assert {name: (each.code, each.why) for name, each in ended.items()} == {"good": (0, ""), "bad": (7, "")}
    assert (tmp_path / "good.log").read_text() == "before\nout\nerr\n"


def test_there_is_room_for_as_many_as_the_shares_say(tmp_path: Path) -> None:
    with executor(tmp_path, parallel=2) as running:
        for name in ("a", "b"):
            assert running.has_room()
            running.start(job(tmp_path, name, "sleep 60"))
        assert not running.has_room()
        assert {each.code for each in running.kill_all()} == {-9}
        assert running.has_room()


@pytest.mark.parametrize(
    ("deadline", "stall", "says"),
    [(0.1, 600.0, "activeDeadlineSeconds (0.1)"), (None, 0.5, "hung: neither output nor processor time for 0.5 s")],
)
def test_what_runs_too_long_or_hangs_is_killed_and_why_is_told(
    deadline: float | None, stall: float, says: str, tmp_path: Path
) -> None:
    with executor(tmp_path, stall_seconds=stall) as running:
        running.start(job(tmp_path, "late", "sleep 60", deadline))
        ended = to_the_end(running)["late"]
    assert ended.code == -9
    assert says in ended.why


def test_looking_kills_nothing_that_may_run(tmp_path: Path) -> None:
    with executor(tmp_path, stall_seconds=600.0) as running:
        running.start(job(tmp_path, "fine", "sleep 60", 600.0))
        assert running.end_overdue()
        assert not running.end_overdue(), "it looks once a second"
        assert running.collect_ended() == []
        assert set(running.running) == {"fine"}


def test_asked_to_end_a_job_may_save_and_one_that_does_not_is_killed_by_the_impatient(tmp_path: Path) -> None:
    with executor(tmp_path) as running:
        running.start(job(tmp_path, "saves", "trap 'echo saved; exit 143' TERM; echo up; sleep 60 & wait"))
        running.start(job(tmp_path, "deaf", "trap '' TERM; echo up; while true; do sleep 0.1; done"))
        logs = [tmp_path / f"{name}.log" for name in ("saves", "deaf")]
        while not all("up" in log.read_text() for log in logs):
            running.wait()
        running.terminate_all(lambda: "saved" in logs[0].read_text())
        assert not running.running
    assert logs[0].read_text() == "up\nsaved\n"


def test_nothing_outlives_it(tmp_path: Path) -> None:
    marker = "765.432"
    with executor(tmp_path) as running:
        running.start(job(tmp_path, "left", f"sleep {marker} & sleep {marker}"))
    assert not processes_of([f"sleep\0{marker}"])


def test_what_cannot_be_started_holds_no_share(tmp_path: Path) -> None:
    with Executor(tmp_path, tmp_path / "lock", Shares(1, 1, ["0"])) as running:
        with pytest.raises(ExperimentError, match="no-such-program: cannot be started"):
            running.start(Job("x", ["no-such-program"], dict(os.environ), tmp_path, tmp_path / "log"))
        running.start(job(tmp_path, "next", "echo $CUDA_VISIBLE_DEVICES"))
        to_the_end(running)
    assert (tmp_path / "next.log").read_text() == "0\n"


def test_two_at_a_time_are_not_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_LOCK_SECONDS", 0.1)
    with executor(tmp_path), pytest.raises(RunFolderError, match="processes of an earlier run are still there"):
        executor(tmp_path)
