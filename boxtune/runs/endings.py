"""What a trial's end means, in words."""

from __future__ import annotations

import signal

from trial_entry.contract.exit_codes import EXIT_OUT_OF_MEMORY, EXIT_REQUEST, EXIT_STOPPED, MEANINGS

_KILLED = 137
_SIGNALS = 128  # what a shell adds to a signal's number
_SHOWN = 500  # characters of what a trial says
_MEANINGS = {_KILLED: "killed; if nobody did it, memory ran out", EXIT_STOPPED: MEANINGS[EXIT_STOPPED]}
_OWN_MEANINGS = {code: MEANINGS[code] for code in (EXIT_REQUEST, EXIT_OUT_OF_MEMORY)}


def code_in_words(code: int, own: bool) -> str:
    """What an exit code says; a negative one is a signal's, as a shell's 128 + N is.

    Args:
        own: whether it is that of `python -m trial_entry`, whose codes have a meaning.
    """
    meaning = ({**_MEANINGS, **_OWN_MEANINGS} if own else _MEANINGS).get(_SIGNALS - code if code < 0 else code)
    if meaning is not None:
        return meaning
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def is_out_of_memory(code: int, own: bool) -> bool:
    """Whether a process that nobody here has killed ran out of memory, by its exit code.

    Args:
        own: whether it is that of `python -m trial_entry`.
    """
    return code in (_KILLED, _SIGNALS - _KILLED) or (own and code == EXIT_OUT_OF_MEMORY)


def last_line(text: str) -> str:
    """The last line that is not empty, for people who ask why; empty where there is none."""
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    shown = "".join(character for character in line if character.isprintable())  # no terminal's colours and cursors
    return shortened(shown)


def shortened(text: str) -> str:
    """`text`, or its beginning where it is too long to be shown: the log has it whole."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
