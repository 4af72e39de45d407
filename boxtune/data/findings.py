"""What was left out, repaired, or is worth a look in a data set: counted by kind, with the first places of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

What = Literal["skipped", "repaired", "warned", "refused"]
Of = Literal["object", "image", "class", "file"]
_MOST_PLACES = 1000  # of a kind that are kept
_ORDER: tuple[What, ...] = ("refused", "skipped", "repaired", "warned")


@dataclass
class Finding:
    """One kind of fault.

    Attributes:
        what: skipped is not in the records, repaired is in them changed, warned is in them as it was, refused ends the
            import.
        of: what it is counted in.
        why: its reason, as it follows the count: `3 objects without an area`.
        count: how many.
        places: where, the first thousand.
        is_loss: whether it was meant to be in the records and could not be used; such are bounded.
    """

    what: What
    of: Of
    why: str
    count: int = 0
    places: list[str] = field(default_factory=list)
    is_loss: bool = False

    def sentence(self, most: int) -> str:
        """One line: the count, the reason, and at most that many places."""
        more = f" and {self.count - most} more" if self.count > most and len(self.places) >= most else ""
        return f"{self.count} {counted(self.of, self.count)} {self.why}: {'; '.join(self.places[:most])}{more}"


class Findings:
    """All kinds of fault of one data set."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[What, Of, str], Finding] = {}

    def add(self, what: What, of: Of, why: str, place: str, count: int = 1) -> None:
        """One more of a kind, at a place."""
        self._add(Finding(what, of, why), place, count)

    def lose(self, of: Of, why: str, place: str) -> None:
        """One more that is skipped because it cannot be used, though it was meant to be."""
        self._add(Finding("skipped", of, why, is_loss=True), place, 1)

    def losses(self, *of: Of) -> list[Finding]:
        """What was lost of these."""
        return [each for each in self.of("skipped") if each.is_loss and each.of in of]

    def merge(self, others: Iterable[Finding]) -> None:
        """Those of another part of the same data set."""
        for each in others:
            for place in each.places:
                self._add(Finding(each.what, each.of, each.why, is_loss=each.is_loss), place, 1)

    def _add(self, new: Finding, place: str, count: int) -> None:
        kind = self._kinds.setdefault((new.what, new.of, new.why), new)
        kind.count += count
        if len(kind.places) < _MOST_PLACES:
            kind.places.append(place)

    def of(self, what: What) -> list[Finding]:
        """The kinds of one outcome, the most frequent first."""
        return sorted((each for each in self._kinds.values() if each.what == what), key=lambda each: -each.count)

    def everything(self) -> list[Finding]:
        """All kinds, the worst outcome first."""
        return [each for what in _ORDER for each in self.of(what)]


def counted(of: str, count: int) -> str:
    """The noun as it follows a number."""
    return of if count == 1 else f"{of}es" if of.endswith("s") else f"{of}s"
