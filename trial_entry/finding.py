"""Findings: what is wrong with a config or with data, as data; one line for each kind of fault, wherever it comes from.

What looks at configs and records makes these; a trial refuses what is an error and logs what is a warning, `boxtune
check` and `boxtune data check` print the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from trial_entry.printable import printable

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One kind of fault, at the first place where it was met.

    Attributes:
        severity: an error cannot work or teaches something false; a warning works otherwise than it looks; a note says
            what was not looked at, or what is worth knowing.
        what: what is wrong.
        right: what would be right; empty where that goes without saying.
        file: the record file; empty where no single one is at fault.
        record: its number in the file, from 0; None for the whole file.
        feature: the record's feature, or the config's field.
        records: how many records have this fault.
    """

    severity: Severity
    what: str
    right: str = ""
    file: str = ""
    record: int | None = None
    feature: str = ""
    records: int = 1

    @property
    def place(self) -> str:
        """Where: `FILE: record N: FEATURE`, as far as it is known."""
        record = "" if self.record is None else f"record {self.record}"
        return ": ".join(part for part in (self.file, record, self.feature) if part)

    @property
    def placed(self) -> str:
        """Where and what; how many there are if it is not the only one."""
        more = f" (the first of {self.records} such records)" if self.records > 1 else ""
        return f"{self.place}: {self.what}{more}" if self.place else f"{self.what}{more}"

    def __str__(self) -> str:
        return printable(f"{self.placed}; {self.right}" if self.right else self.placed)


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Those that cannot work."""
    return [each for each in findings if each.severity == "error"]


class Tally:
    """Findings by their kind: the first of each, and how many records have it."""

    def __init__(self) -> None:
        self._first: dict[str, Finding] = {}

    def add(self, kind: str, finding: Finding) -> None:
        """Count `finding`, of one record; it is kept if it is the first of its kind."""
        first = self._first.get(kind)
        self._first[kind] = finding if first is None else replace(first, records=first.records + finding.records)

    def add_all(self, later: Tally) -> None:
        """Count what another tally has of later records."""
        for kind, finding in later._first.items():
            self.add(kind, finding)

    def findings(self) -> list[Finding]:
        """One of each kind, in the order in which they were met."""
        return list(self._first.values())
