"""What every input must end in: a verdict with an exit code of the documented ones, in time, and no traceback."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from boxtune.errors import EXIT_DONE, EXIT_INPUT
from tests.experiments import boxtune_here
from tests.trials import Ended

COMPUTING, WAITING = 20, 120  # seconds that an input of a few kilobytes never takes, on a busy machine either
executions: Counter[str] = Counter()
# What a terminal obeys; a line may be broken and indented.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@contextmanager
def in_time() -> Iterator[None]:
    """Fail where what is done within computes for longer than a small file can take, or waits for ever."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"computed for {COMPUTING} s" if number == signal.SIGPROF else f"waited for {WAITING} s")

    kinds = ((signal.SIGPROF, signal.ITIMER_PROF, COMPUTING), (signal.SIGALRM, signal.ITIMER_REAL, WAITING))
    before = [signal.signal(number, late) for number, _, _ in kinds]
    for _, timer, seconds in kinds:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(kinds, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def verdict(name: str, *arguments: str | Path, codes: tuple[int, ...] = (EXIT_DONE, EXIT_INPUT)) -> Ended:
    """`boxtune ARGUMENTS`, which must end with one of `codes` and print nothing that a terminal obeys.

    Args:
        name: of the property, for the count.
    """
    executions[name] += 1
    with in_time():
        done = boxtune_here(*arguments)
    said = f"{done.out}\n{done.err}"
    assert done.code in codes, f"{done.code}: {said}"
    assert "Traceback" not in said, said
    found = _CONTROL.search(said)
    assert found is None, repr(said[max(0, found.start() - 200) : found.end() + 50])
    if done.code == EXIT_INPUT:
        assert done.err.strip() or "error" in done.out, said
        assert len(done.err.strip().splitlines()) <= 1, done.err
    return done
