"""Storage's threads: several requests at a time, all given up as soon as one fails or a signal ends the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

_AT_A_TIME = 8
A = TypeVar("A")
R = TypeVar("R")


def several(work: Callable[[A, Event], R], arguments: Iterable[A]) -> list[R]:
    """The results of `work` for each argument, in order.

    Args:
        work: is also given an event that is set when nobody wants its result any more.

    Raises:
        Exception: the first that `work` raised; the others have ended by then. What a signal raises is not waited for.
    """
    given_up, every = Event(), list(arguments)
    if len(every) == 1:
        return [work(every[0], given_up)]
    threads = ThreadPoolExecutor(_AT_A_TIME)
    try:
        results = list(threads.map(lambda argument: work(argument, given_up), every))
    except BaseException as problem:
        given_up.set()
        threads.shutdown(wait=isinstance(problem, Exception), cancel_futures=True)
        raise
    threads.shutdown()
    return results
