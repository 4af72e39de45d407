"""How a step ends: one line and an exit code, whoever reads its output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.steps.telling import BEGINS, ENDS, LINE, MARKED_VARIABLE, RUNNER_VARIABLE, Told, read_told

_FAILING = """
from boxtune.errors import *
from trial_entry.errors import *
from pipelines.steps.ending import end
def stumble():
    print("looks", flush=True)
    raise {error}
end(stumble)
"""

_WAITING = """
import time
from pipelines.steps.ending import end
def wait():
    print("on", flush=True)
    time.sleep(60)
end(wait)
"""


def ended(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("InputError('no such folder')", 2),
        ("ExperimentFailed('no such folder')", 3),
        ("Interrupted('no such folder')", 130),
        ("BoxtuneError('no such folder')", 1),
        ("ConfigError('no such folder')", 2),
        ("OutOfMemoryError('no such folder')", 3),
    ],
)
def test_an_error_is_the_last_line_without_a_traceback(error: str, code: int) -> None:
    found = ended(_FAILING.format(error=error))
    assert found.returncode == code
    assert found.stdout == "looks\n"
    assert found.stderr == "boxtune: no such folder\n"


def test_a_bug_keeps_its_traceback() -> None:
    found = ended(_FAILING.format(error="KeyError('x')"))
    assert found.returncode == 1
    assert "Traceback" in found.stderr


def test_a_bug_tells_the_runner_its_last_line() -> None:
    found = ended(_FAILING.format(error="TypeError('unhashable\\ntype')"), **{MARKED_VARIABLE: "1"})
    assert found.returncode == 1
    [end] = [each for each in map(read_told, found.stdout.splitlines()) if each is not None and each.what == ENDS]
    assert (end.code, end.text) == (1, "TypeError: unhashable type")
    assert "Traceback" in found.stderr


def test_a_runner_is_told_what_happens_line_by_line() -> None:
    found = ended(_FAILING.format(error="InputError('no such folder')"), **{MARKED_VARIABLE: "1"})
    told = [each for each in map(read_told, found.stdout.splitlines()) if each is not None]
    assert told == [
        Told("stumble", BEGINS),
        Told("stumble", LINE, "looks"),
        Told("stumble", ENDS, "no such folder", 2),
    ]
    assert found.returncode == 2


def test_sigterm_ends_a_step_as_an_interruption() -> None:
    step = subprocess.Popen([sys.executable, "-c", _WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert step.stdout is not None
    assert step.stdout.readline() == "on\n"
    step.send_signal(signal.SIGTERM)
    _, error = step.communicate(timeout=30)
    assert step.returncode == 130
    assert error == "boxtune: wait was interrupted\n"


def test_a_step_ends_when_its_runner_was_killed(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    environment = {**os.environ, MARKED_VARIABLE: "1", RUNNER_VARIABLE: str(runner.pid)}
    with (tmp_path / "log").open("w") as log:
        step = subprocess.Popen([sys.executable, "-c", _WAITING], stdout=log, stderr=log, env=environment)
        try:
            while '"on"' not in (tmp_path / "log").read_text():
                assert step.poll() is None
                time.sleep(0.05)
            runner.kill()
            runner.wait()
            assert step.wait(timeout=30) == 130
        finally:
            step.kill()
