"""Delivery's way to TensorFlow: one command of `python -m trial_entry` as a process, its log passed on as it comes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

from boxtune.errors import BoxtuneError, InputError, Interrupted
from trial_entry.contract.exit_codes import EXIT_MEASURED, EXIT_OUT_OF_MEMORY, EXIT_REQUEST, EXIT_STOPPED, MEANINGS
from trial_entry.contract.requests import PROGRAM, Request

_KILLED = -signal.SIGKILL  # what the kernel does when memory runs out
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
    said = ""
    process = subprocess.Popen(
        [*PROGRAM, *request.argv()], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if said:
                progress(said)
            said = line.rstrip("\n")
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code != EXIT_MEASURED:
        raise _error(request.command, code, said)
    if said:
        progress(said)


def _error(command: str, code: int, said: str) -> BoxtuneError:
    if code == EXIT_REQUEST:
        return InputError(said)
    if code in _STOPPED:
        return Interrupted(f"{command} was stopped; the same command begins it again")
    if code in (EXIT_OUT_OF_MEMORY, _KILLED):
        return BoxtuneError(said if code == EXIT_OUT_OF_MEMORY else f"{command} was killed, most likely for its memory")
    return BoxtuneError(f"python -m trial_entry {command} ended with {code} ({MEANINGS.get(code, 'a signal')}): {said}")
