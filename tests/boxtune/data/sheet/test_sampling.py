"""Samples of a stream: bounded, fair, and the same every time."""

from __future__ import annotations

from collections import Counter

from boxtune.data.sheet.sampling import Reservoir, Top


def test_each_of_a_stream_is_as_likely_as_any_other() -> None:
    found: Counter[int] = Counter()
    for seed in range(2000):
        reservoir: Reservoir[int] = Reservoir(5, seed)
        for item in range(20):
            reservoir.offer(item)
        assert len(set(reservoir.kept)) == 5
        found.update(reservoir.kept)
    assert all(400 < count < 600 for count in found.values())  # 500 expected, 19 one standard deviation
    assert len(found) == 20


def test_the_same_stream_gives_the_same_sample() -> None:
    first, again = Reservoir[int](10), Reservoir[int](10)
    for item in range(1000):
        first.offer(item)
        again.offer(item)
    assert first.kept == again.kept
    assert first.offered == 1000


def test_the_highest_are_kept_and_of_equals_the_first() -> None:
    top: Top[str] = Top(3)
    for rank, item in ((1, "a"), (3, "b"), (2, "c"), (2, "d"), (3, "e"), (0, "f")):
        top.offer(rank, item)
    assert top.kept == ["b", "e", "c"]
    assert top.offered == 6
