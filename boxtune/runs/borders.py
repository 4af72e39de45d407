"""What of a search's trainings fits in memory: the border between what ran out of it and what did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trial_entry.pipeline_config.footprint import Footprint

Borders = Mapping[tuple[str, str], Footprint]
"""By kind (`Footprint.kind`), the least that did not fit: nothing as large or larger will."""


def borders(short: Iterable[Footprint], fitted: Iterable[Footprint]) -> Borders:
    """The border of each kind of which something ran out of memory.

    Where as much or more has fitted, something else was short of memory (a neighbour on the same machine took it), so
    that draws no border.

    Args:
        short: of trials that ran out of memory.
        fitted: of trials that did not.
    """
    most: dict[tuple[str, str], int] = {}
    for each in fitted:
        most[each.kind] = max(each.load, most.get(each.kind, 0))
    found: dict[tuple[str, str], Footprint] = {}
    for each in sorted(short, key=lambda footprint: footprint.load):
        if each.load > most.get(each.kind, 0):
            found.setdefault(each.kind, each)
    return found


def is_beyond(found: Borders, footprint: Footprint | None) -> bool:
    """Whether a training takes as much as one that did not fit, or more."""
    border = found.get(footprint.kind) if footprint is not None else None
    return border is not None and footprint is not None and footprint.load >= border.load
