"""Running real trials as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIME_LIMIT = 300.0
COMMAND = (sys.executable, "-m", "trial_entry")


@dataclass(frozen=True)
class Ended:
    """What a trial left."""

    code: int
    out: str
    err: str

    @property
    def metrics(self) -> list[tuple[str, str, float]]:
        """(timestamp, name, value) of each line of standard output, which must hold nothing else."""
        lines = []
        for line in self.out.splitlines():
            timestamp, assignment = line.split(" ")
            name, value = assignment.split("=")
            lines.append((timestamp, name, float(value)))
        return lines

    @property
    def reason(self) -> str:
        """The last line of standard error."""
        return self.err.strip().splitlines()[-1]


def run(*arguments: str | Path, **environment: str) -> Ended:
    """`python -m trial_entry ARGUMENTS`, to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        env={**os.environ, **environment},
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def train_arguments(config: Path, model_dir: Path, *more: str) -> list[str]:
    """Of a `train` command."""
    return [f"--pipeline_config_path={config}", f"--model_dir={model_dir}", *more]


class Running:
    """A trial in the background."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait_for(self, condition: Callable[[], Any]) -> None:
        """Until `condition` holds; fails if the process ends before."""
        deadline = time.monotonic() + TIME_LIMIT
        while not condition():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.process.communicate()[1]}"
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.01)

    def kill(self, number: signal.Signals) -> Ended:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=TIME_LIMIT)
        return Ended(self.process.returncode, out, err)


def rows(model_dir: Path) -> list[dict[str, Any]]:
    """metrics.json."""
    return list(json.loads((model_dir / "metrics.json").read_text()))


def trial(model_dir: Path) -> dict[str, Any]:
    """trial.json."""
    return dict(json.loads((model_dir / "trial.json").read_text()))
