"""What a trial's end means, in words."""

from __future__ import annotations

import signal

from trial_entry.contract.exit_codes import EXIT_OUT_OF_MEMORY, EXIT_REQUEST, EXIT_STOPPED, MEANINGS

_KILLED = 137
_MEANINGS = {
    EXIT_REQUEST: MEANINGS[EXIT_REQUEST],
    EXIT_OUT_OF_MEMORY: MEANINGS[EXIT_OUT_OF_MEMORY],
    _KILLED: "killed; if nobody did it, memory ran out",
    EXIT_STOPPED: MEANINGS[EXIT_STOPPED],
}


def code_in_words(code: int) -> str:
    """What an exit code says; a negative one is a signal's, as a shell's 128 + N is."""
    meaning = _MEANINGS.get(128 - code if code < 0 else code)
    if meaning is not None:
        return meaning
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def last_line(text: str) -> str:
    """The last line that is not empty, for people who ask why; empty where there is none."""
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    return "".join(character for character in line if character.isprintable())  # no terminal's colours and cursors
