"""A dashboard that answers, as a process of its own, and questions to it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.experiments import BOXTUNE

_SECONDS = 120.0


@dataclass(frozen=True)
class Answer:
    """What a request gave."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Dashboard:
    """One that answers."""

    address: str
    process: subprocess.Popen[str]
    said: Path

    def ask(self, path: str, method: str = "GET", body: object = None) -> Answer:
        """One request."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read())

    def study(self, number: int = 1) -> Any:
        """One of its studies, with its trials."""
        answer = self.ask(f"api/studies/{number}")
        assert answer.status == 200, answer.body
        return answer.json

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Until `holds()`; the application keeps what it was given for two seconds and more."""
        deadline = time.monotonic() + _SECONDS
        while not holds():
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.2)

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=_SECONDS)


@contextmanager
def dashboard(run: Path, *more: str) -> Iterator[Dashboard]:
    """`boxtune dashboard RUN` on any free port, until the end of the block."""
    said = run.parent / f"{run.name}-dashboard.err"
    with said.open("w") as errors:
        process = subprocess.Popen(
            [*BOXTUNE, "dashboard", str(run), "--port", "0", *more],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (a shell that started us with & ignores it)
        )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), said.read_text()
        yield Dashboard(address, process, said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def attributes(of: Any) -> dict[str, str]:
    """A study's or trial's user attributes."""
    return {each["key"]: each["value"] for each in of["user_attrs"]}
