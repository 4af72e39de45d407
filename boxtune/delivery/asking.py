"""Delivery's way to TensorFlow: one command of `python -m trial_entry` as a process, its log passed on as it comes.

The process has a session of its own, so that a terminal's Ctrl-C reaches this one alone, which then asks it to save and
end; and it dies with this one, however that ends.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from boxtune.errors import BoxtuneError, InputError, Interrupted
from trial_entry.contract.exit_codes import EXIT_MEASURED, EXIT_OUT_OF_MEMORY, EXIT_REQUEST, EXIT_STOPPED, MEANINGS
from trial_entry.contract.request import Request
from trial_entry.contract.requests import PROGRAM
from trial_entry.errors import RequestError
from trial_entry.parent import die_with_parent

_KILLED = -signal.SIGKILL  # what the kernel does when memory runs out
_LOGGED = re.compile(r"\d\d:\d\d:\d\d ")  # a line of a trial's log begins with its time
_STOPPED = (EXIT_STOPPED, -signal.SIGTERM, -signal.SIGINT)


def to_standard_error(line: str) -> None:
    """One line of a process's log, shown at once."""
    print(line, file=sys.stderr, flush=True)


def ask(request: Request, progress: Callable[[str], None] = to_standard_error) -> None:
    """Run one command of `python -m trial_entry` to its end; what it found is in the files that the request names.

    Args:
        progress: takes each line of its log; the last, which says why it failed, becomes the error instead.

    Raises:
        InputError: it says that the request is wrong.
        Interrupted: it was stopped by a signal.
        BoxtuneError: it ran out of memory, or ended in a bug.
    """
    said, asker = "", os.getpid()
    process = subprocess.Popen(
        [*PROGRAM, *request.argv()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(asker),  # noqa: PLW1509 (two system calls, looked up before)
    )
    try:
        assert process.stderr is not None
        with termination_as_interruption():
            for line in process.stderr:
                if said:
                    progress(said)
                said = line.rstrip("\n")
                if _LOGGED.match(said):  # and so not why it failed
                    progress(said)
                    said = ""
            code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code != EXIT_MEASURED:
        raise _error(request.command, code, said)
    if said:
        progress(said)


@contextmanager
def request_errors() -> Iterator[None]:
    """What a trial would say of a request is wrong input here.

    Raises:
        InputError: instead of a RequestError.
    """
    try:
        yield
    except RequestError as wrong:
        raise InputError(str(wrong)) from None


@contextmanager
def termination_as_interruption() -> Iterator[None]:
    """SIGTERM ends what is within as Ctrl-C does, in the main thread; elsewhere nobody can listen to it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _error(command: str, code: int, said: str) -> BoxtuneError:
    if code == EXIT_REQUEST:
        return InputError(said)
    if code in _STOPPED:
        return Interrupted(f"{command} was stopped; the same command begins it again")
    if code in (EXIT_OUT_OF_MEMORY, _KILLED):
        return BoxtuneError(said if code == EXIT_OUT_OF_MEMORY else f"{command} was killed, most likely for its memory")
    return BoxtuneError(f"python -m trial_entry {command} ended with {code} ({MEANINGS.get(code, 'a signal')}): {said}")
