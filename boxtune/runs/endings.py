"""What a trial's end means, in words."""

from __future__ import annotations

import signal

_MEANINGS = {
    2: "the request is wrong",
    3: "out of memory",
    137: "killed; if nobody did it, memory ran out",
    143: "stopped by SIGTERM",
}


def code_in_words(code: int) -> str:
    """What an exit code says; a negative one is a signal's, as a shell's 128 + N is."""
    meaning = _MEANINGS.get(128 - code if code < 0 else code)
    if meaning is not None:
        return meaning
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def last_line(text: str) -> str:
    """The last line that is not empty, for people who ask why; empty where there is none."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
