"""The line with which a program of Boxtune's says why it ends: the command's, and a pipeline step's."""

from __future__ import annotations

import sys

from trial_entry.printable import printable
from trial_entry.storage.naming import stand_ins


def say_why(reason: str, code: int) -> int:
    """Say on standard error, in one line with paths as people wrote them, why the program ends; returns `code`."""
    print(f"boxtune: {printable(' '.join(stand_ins().named(reason).split()))}", file=sys.stderr, flush=True)
    return code
