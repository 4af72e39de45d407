"""messages.txt: every message that `boxtune check`, or a refusal with exit code 2, gives on the cases of the tests.

A case's test compares what it was told with what stands there; `scripts/messages` writes the file anew, so that a
change of words is one diff to read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

MESSAGES = Path(__file__).parent / "messages.txt"
_HEAD = "## "


@cache
def reviewed() -> Mapping[str, str]:
    """What stands in messages.txt, by the case's name."""
    sections = MESSAGES.read_text(encoding="utf-8").split(_HEAD)[1:]
    return {name: text.strip("\n") for name, _, text in (section.partition("\n") for section in sections)}


def compare(name: str, said: str, places: Mapping[str | Path, str]) -> None:
    """Fail unless a case's messages are those that were reviewed.

    Args:
        name: the case's, of one line.
        said: one message a line.
        places: what stands for folders of this run.
    """
    for place, stands in sorted(places.items(), key=lambda each: -len(str(each[0]))):
        said = said.replace(str(place), stands)
    said = "\n".join(line.rstrip() for line in said.strip("\n").splitlines())
    folder = os.environ.get("BOXTUNE_MESSAGES")
    if folder:
        file = Path(folder) / re.sub(r"[^\w.-]", "_", name)
        file.write_text(f"{_HEAD}{name}\n{said}\n", encoding="utf-8")
        return
    assert said == reviewed().get(name), "scripts/messages writes tests/messages.txt anew, to be read as a diff"


def assembled(parts: Iterable[str]) -> str:
    """messages.txt of its sections."""
    return "\n".join(sorted(parts))
