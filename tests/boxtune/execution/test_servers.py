"""Trials by fork: whatever a started program does, a forked one does too; and what becomes of one harms no other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from boxtune.execution.processes import Processes, TrialProcess
from boxtune.execution.servers import SERVER_LOG, ForkedProcess, TrialServers
from tests.conftest import write_config
from tests.experiments import processes_of
from tests.trials import rows, train_arguments, trial

SECONDS = 300.0
Start = Callable[[Sequence[str], Path], TrialProcess]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Processes, TrialServers, Path]]:
    folder = tmp_path_factory.mktemp("run")
    with Processes(folder / "lock") as processes, TrialServers(processes, folder) as servers:
        yield processes, servers, folder


@pytest.fixture
def cold(started: tuple[Processes, TrialServers, Path]) -> Start:
    return _starter(started[0])


@pytest.fixture
def warm(started: tuple[Processes, TrialServers, Path]) -> Start:
    return _starter(started[1])


def _starter(processes: Processes | TrialServers) -> Start:
    def start(arguments: Sequence[str], folder: Path) -> TrialProcess:
        folder.mkdir(exist_ok=True)
        return processes.start([sys.executable, "-m", "trial_entry", *arguments], os.environ, folder, folder / "log")

    return start


def wait(process: TrialProcess, until: Callable[[], Any] = lambda: False) -> int | None:
    """The exit code, or None where `until` held first."""
    deadline = time.monotonic() + SECONDS
    while (code := process.reap()) is None and not until():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return code


def is_saved(model: Path, step: int) -> bool:
    """Whether a checkpoint of this step or a later one is there: only the last is kept."""
    steps = [int(file.stem.removeprefix("ckpt-")) for file in model.glob("ckpt-*.index")]
    return any(each >= step for each in steps)


def arguments_of(data: Path, model_dir: Path, *more: str) -> list[str]:
    return train_arguments(data / "pipeline.config", model_dir, "--deterministic", "--seed=3", *more)


def test_the_same_metrics_and_files(data: Path, tmp_path: Path, cold: Start, warm: Start) -> None:
    lines = []
    for name, start in (("cold", cold), ("warm", warm)):
        folder = tmp_path / name
        process = start([*arguments_of(data, Path("model")), "--set=batch_size=2"], folder)
        assert isinstance(process, ForkedProcess) == (name == "warm")
        assert wait(process) == 0, (folder / "log").read_text()
        lines.append([line.split(" ")[1] for line in (folder / "log").read_text().splitlines() if "mAP=" in line])
    left, right = tmp_path / "cold" / "model", tmp_path / "warm" / "model"
    assert lines[0] == lines[1] != []
    without_speed = [
        {name: value for name, value in rows(each)[-1]["metrics"].items() if name != "train_steps_per_second"}
        for each in (left, right)
    ]
    assert without_speed[0] == without_speed[1]
    assert _files(left) == _files(right)
    assert (left / "pipeline.config").read_bytes() == (right / "pipeline.config").read_bytes()
    timeless = ("started", "ended", "peak_memory_mib")
    records = [{key: value for key, value in trial(each).items() if key not in timeless} for each in (left, right)]
    assert records[0] == records[1]
    assert _weights(left) == _weights(right)


def _files(folder: Path) -> set[str]:
    """Relative paths; of an event file only that there is one."""
    return {
        str((path.parent / "events" if path.name.startswith("events.") else path).relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
    }


def _weights(folder: Path) -> bytes:
    return (folder / "ckpt-6.data-00000-of-00001").read_bytes()


def test_wrong_requests_end_alike(data: Path, tmp_path: Path, cold: Start, warm: Start) -> None:
    for more in (["--set=batch_size=0"], ["--help"], ["walk"]):
        ends = []
        for name, start in (("cold", cold), ("warm", warm)):
            folder = tmp_path / f"{name}{more[0]}".replace("/", "")
            ends.append(
                (wait(start([*more, *arguments_of(data, Path("model"))], folder)), (folder / "log").read_text())
            )
        assert ends[0] == ends[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_signals_end_alike(data: Path, tmp_path: Path, cold: Start, warm: Start, number: signal.Signals) -> None:
    write_config(data, **{"_steps: 375": "_steps: 100000", "warmup_steps: 37": "warmup_steps: 2"})
    codes = []
    step = 3 if number == signal.SIGTERM else 0  # the others leave nothing behind, whatever has been trained
    for name, start in (("cold", cold), ("warm", warm)):
        folder = tmp_path / name
        process = start(arguments_of(data, Path("model"), "--checkpoint_every_n=3"), folder)
        assert wait(process, partial(is_saved, folder / "model", step)) is None, (folder / "log").read_text()
        assert process.group is not None
        os.kill(process.group, number)
        codes.append(wait(process))
        if number == signal.SIGTERM:
            assert trial(folder / "model")["reason"] == "stopped by SIGTERM"
    assert codes == ([143, 143] if number == signal.SIGTERM else [-number, -number])
    other = warm(["--help"], tmp_path)
    assert isinstance(other, ForkedProcess)
    assert wait(other) == 0


def test_the_environment_and_the_folder_are_the_trials_own(
    tmp_path: Path, started: tuple[Processes, TrialServers, Path]
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    said = []
    for number, (width, arguments) in enumerate(
        [("60", ["--help"]), ("160", ["--help"]), ("160", ["stop", "--model_dir=nowhere"])]
    ):
        log = folder / f"{number}.log"
        argv = [sys.executable, "-m", "trial_entry", *arguments]
        process = started[1].start(argv, {**os.environ, "COLUMNS": width}, folder, log)
        assert isinstance(process, ForkedProcess)
        wait(process)
        said.append(log.read_text())
    assert len(said[0].splitlines()) > len(said[1].splitlines())  # argparse wraps at COLUMNS
    assert "nowhere" in said[2]


def test_a_trial_that_is_ended_before_it_began_never_begins(tmp_path: Path, data: Path) -> None:
    with Processes(tmp_path / "lock") as processes, TrialServers(processes, tmp_path) as servers:
        process = _starter(servers)(arguments_of(data, tmp_path / "model"), tmp_path)
        process.terminate()  # the server is importing
        assert process.reap() == -signal.SIGTERM
        assert wait(_starter(servers)(["--help"], tmp_path / "next")) == 0
    assert not (tmp_path / "model").exists()


def test_a_server_that_dies_takes_its_trials_along_and_the_next_start_by_themselves(tmp_path: Path, data: Path) -> None:
    with Processes(tmp_path / "lock") as processes, TrialServers(processes, tmp_path) as servers:
        start, folder = _starter(servers), tmp_path / "trial"
        process = start(arguments_of(data, Path("model"), "--set=num_steps=100000"), folder)
        assert wait(process, (folder / "model" / "trial.json").exists) is None
        (server,) = set(processes_of(_serve_line(servers))) - {process.group}  # a fork has its server's command line
        os.kill(server, signal.SIGKILL)
        assert wait(process) == -signal.SIGKILL
        assert SERVER_LOG in (folder / "log").read_text().splitlines()[-1]
        following = start(["--help"], tmp_path)
        assert not isinstance(following, ForkedProcess)
        assert wait(following) == 0


def _serve_line(servers: TrialServers) -> list[str]:
    return ["serve", servers._sockets.name]


def test_variables_that_imports_read_get_a_server_of_their_own(tmp_path: Path) -> None:
    with Processes(tmp_path / "lock") as processes, TrialServers(processes, tmp_path) as servers:
        kinds = []
        for threads in ("1", "2", "3"):
            environment = {**os.environ, "OMP_NUM_THREADS": threads}
            argv = [sys.executable, "-m", "trial_entry", "--help"]
            process = servers.start(argv, environment, tmp_path, tmp_path / "log")
            kinds.append(isinstance(process, ForkedProcess))
            process.kill()
        assert kinds == [True, True, False]  # two servers at most
        assert len(processes_of(_serve_line(servers))) == 2
    assert processes_of(_serve_line(servers)) == []


def test_other_programs_are_started(tmp_path: Path) -> None:
    with Processes(tmp_path / "lock") as processes, TrialServers(processes, tmp_path) as servers:
        process = servers.start(["sh", "-c", "exit 4"], os.environ, tmp_path, tmp_path / "log")
        assert wait(process) == 4
        assert not (tmp_path / SERVER_LOG).exists()


def test_nothing_runs_before_a_fork() -> None:
    """One thread more than Python's own may be there: OpenBLAS's, which knows of forks, and jemalloc's."""
    program = """
import json, sys
from pathlib import Path
from trial_entry.detection.runtime import preload
preload()
from tensorflow.python.eager import context
names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
print(json.dumps([context.context()._context_handle is None, names]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    no_context, names = json.loads(done.stdout)
    assert no_context
    assert set(names) <= {"python", "python3", "jemalloc_bg_thd"}
