"""SIGTERM at the moments that a test with a clock meets by chance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trials import train_arguments, trial
from trial_entry.contract.exit_codes import EXIT_STOPPED
from trial_entry.errors import Stopped
from trial_entry.stopping import StopSignal

ENDED_AFTER_EACH_WRITE = """
import os, signal, sys
from trial_entry.__main__ import run_to_the_end
from trial_entry.model_dir import ModelDir

write = ModelDir.write_record

def write_and_terminate(folder):
    write(folder)
    os.kill(os.getpid(), signal.SIGTERM)

ModelDir.write_record = write_and_terminate
run_to_the_end(sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """The test process gets its own handler back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_comes_just_after_trial_json_is_its_reason(data: Path, tmp_path: Path) -> None:
    model_dir = tmp_path / "model"
    arguments = train_arguments(data / "pipeline.config", model_dir)
    ended = subprocess.run(
        [sys.executable, "-c", ENDED_AFTER_EACH_WRITE, *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == EXIT_STOPPED, ended.stderr
    assert ended.stderr.splitlines()[-1] == trial(model_dir)["reason"] == "stopped by SIGTERM before the first step"


def test_a_second_signal_does_not_interrupt_the_end() -> None:
    stop = StopSignal()
    with pytest.raises(Stopped):
        terminate()
    terminate()
    with pytest.raises(Stopped):
        stop.check()


def test_a_deferred_signal_waits_for_check() -> None:
    stop = StopSignal()
    stop.defer()
    terminate()
    with pytest.raises(Stopped), stop.at_once():
        pytest.fail("the signal is older than the block")
    with pytest.raises(Stopped):
        stop.check()
