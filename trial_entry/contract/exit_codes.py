"""The contract's exit codes: what a trial ends with, what each means in words, and which error is which."""

from __future__ import annotations

from trial_entry.errors import OutOfMemoryError, RequestError, Stopped, TrialError

EXIT_MEASURED = 0
EXIT_BUG = 1
EXIT_REQUEST = 2
EXIT_OUT_OF_MEMORY = 3
EXIT_STOPPED = 143

MEANINGS = {
    EXIT_MEASURED: "measured",
    EXIT_BUG: "a bug",
    EXIT_REQUEST: "the request is wrong",
    EXIT_OUT_OF_MEMORY: "out of memory",
    EXIT_STOPPED: "stopped by SIGTERM",
}


def exit_code_of(error: TrialError | Stopped) -> int:
    """What a trial that ends by `error` exits with."""
    if isinstance(error, Stopped):
        return EXIT_STOPPED
    if isinstance(error, RequestError):
        return EXIT_REQUEST
    return EXIT_OUT_OF_MEMORY if isinstance(error, OutOfMemoryError) else EXIT_BUG
