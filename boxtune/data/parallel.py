"""Data's work on all cores: results in the order of the items, a bounded number of them under way."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from boxtune.errors import AnnotationsError
from trial_entry.parent import die_with_parent

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_AHEAD = 3  # batches a process that are under way: enough that none waits


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def in_parallel(
    function: Callable[[_Item], _Result], items: Iterable[_Item], processes: int, batch: int
) -> Iterator[_Result]:
    """`function` of every item, in the items' order.

    Args:
        function: of a module, so that another process finds it.
        processes: how many; one works in this process.
        batch: items that are handed over together.

    Raises:
        AnnotationsError: a process was killed, most likely for want of memory.
    """
    if processes == 1:
        yield from map(function, items)
        return
    pending: deque[Future[list[_Result]]] = deque()
    source = iter(items)
    fork = get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=fork, initializer=_begin, initargs=(os.getpid(),)) as pool:
        try:
            while True:
                while len(pending) < processes * _AHEAD and (part := list(islice(source, batch))):
                    pending.append(pool.submit(_each, function, part))
                if not pending:
                    return
                yield from pending.popleft().result()
        except BrokenProcessPool:
            hint = "was memory short? --processes 1 needs the least; the same command goes on"
            raise AnnotationsError(f"a process that read images was killed; {hint}") from None
        finally:
            pool.shutdown(cancel_futures=True)  # what is under way is short


def _each(function: Callable[[_Item], _Result], part: list[_Item]) -> list[_Result]:
    return [function(item) for item in part]


def _begin(parent: int) -> None:
    """Ctrl-C is the parent's to handle; with the parent this process ends too, and lets go of what it has locked."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
