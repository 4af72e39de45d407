"""Data's sampling: as many of a stream as memory should hold, each with the same chance, and the same ones every time.

The method is Algorithm R of Vitter, "Random Sampling with a Reservoir" (1985), with a generator of a fixed seed.
"""

from __future__ import annotations

import heapq
import random
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Reservoir(Generic[Item]):
    """At most `most` of what is offered."""

    def __init__(self, most: int, seed: int = 0) -> None:
        self._most = most
        self._dice = random.Random(seed)
        self._kept: list[Item] = []
        self.offered = 0

    def offer(self, item: Item) -> None:
        """One more of the stream."""
        self.offered += 1
        if len(self._kept) < self._most:
            self._kept.append(item)
        elif (place := self._dice.randrange(self.offered)) < self._most:
            self._kept[place] = item

    @property
    def kept(self) -> list[Item]:
        """The sample, in no order that means anything."""
        return list(self._kept)


class Top(Generic[Item]):
    """The `most` that rank highest of what is offered; of equals the first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, Item]] = []
        self.offered = 0

    def offer(self, rank: float, item: Item) -> None:
        """One more of the stream."""
        self.offered += 1
        entry = (rank, -self.offered, item)  # the number is its own, so that items are never compared
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        elif entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    @property
    def kept(self) -> list[Item]:
        """Those, the highest first."""
        return [item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
