"""How a step tells whoever runs the pipeline on this machine what happens, among all that KFP prints around it.

Where MARKED_VARIABLE is set, each line of the step is one of JSON after MARK, which says whose it is; whoever reads
them shows the steps' own lines, and the rest goes to a log. In a pod nobody does, and lines are lines.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from typing import TextIO

MARKED_VARIABLE = "BOXTUNE_STEP_MARKED"
RUNNER_VARIABLE = "BOXTUNE_STEP_RUNNER"  # process id of the runner, without which a step has no reason to go on
MARK = "\x02"
BEGINS, LINE, ENDS = "begins", "line", "ends"
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Told:
    """One thing that a step tells.

    Attributes:
        step: whose.
        what: BEGINS, LINE or ENDS.
        text: the line; of an end how long it took, or why it failed.
        code: of an end, as documented for the command.
    """

    step: str
    what: str
    text: str = ""
    code: int = 0

    @property
    def sentence(self) -> str:
        """For people."""
        if self.what == BEGINS:
            return f"{self.step}: begins"
        if self.what == ENDS:
            return f"{self.step}: {'failed' if self.code else f'done in {self.text}'}"
        return f"{self.step}: {self.text}"

    def written(self) -> str:
        """The marked line."""
        return f"{MARK}{json.dumps(asdict(self))}\n"


def read_told(line: str) -> Told | None:
    """What a line of output tells; None of a line that is not a step's."""
    _, mark, rest = line.partition(MARK)
    return Told(**json.loads(rest)) if mark else None


class Teller:
    """Tells nobody: what a step prints is in its pod's log as it is."""

    def begins(self) -> None:
        """The step begins."""

    def ends(self, code: int, text: str) -> None:
        """The step has ended: how long it took, or why it failed."""


class MarkedTeller(Teller):
    """Tells the runner of the pipeline."""

    def __init__(self, stream: TextIO, step: str) -> None:
        self._stream, self._step = stream, step

    def begins(self) -> None:
        """See Teller."""
        self.tell(Told(self._step, BEGINS))

    def ends(self, code: int, text: str) -> None:
        """See Teller."""
        self.tell(Told(self._step, ENDS, text, code))

    def line(self, text: str) -> None:
        """The step has printed a line."""
        self.tell(Told(self._step, LINE, text))

    def tell(self, told: Told) -> None:
        """At once."""
        self._stream.write(told.written())
        self._stream.flush()


class _MarkedStream:
    """A stream whose lines are told."""

    def __init__(self, teller: MarkedTeller, encoding: str) -> None:
        self._teller, self._line, self.encoding = teller, "", encoding

    def write(self, text: str) -> int:
        """Tells whole lines."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._teller.line(line)
        return len(text)

    def flush(self) -> None:
        """Nothing: a line is told when it is whole."""

    def isatty(self) -> bool:
        """No: somebody reads its lines."""
        return False

    def finish(self) -> None:
        """Tell what is left."""
        if self._line:
            self.write("\n")


@contextmanager
def told(step: str) -> Iterator[Teller]:
    """Within, what the step prints is told where somebody listens."""
    if MARKED_VARIABLE not in os.environ:
        yield Teller()
        return
    _end_with_the_runner()
    teller = MarkedTeller(sys.stdout, step)
    out, error = (_MarkedStream(teller, sys.stdout.encoding) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(error):
        try:
            yield teller
        finally:
            out.finish()
            error.finish()


def _end_with_the_runner() -> None:
    """A runner that was killed leaves its step's process behind, whose parent is a shell: it looks for itself."""
    runner = os.environ.get(RUNNER_VARIABLE)
    if runner is None:
        return

    def look() -> None:
        while os.path.exists(f"/proc/{runner}"):
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, daemon=True).start()
