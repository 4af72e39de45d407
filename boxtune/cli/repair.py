"""`boxtune repair`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.local.repair import repair as keep_what_is_whole


def repair(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run whose journal is damaged")],
) -> None:
    """Keep what is whole of a damaged journal, so that the run can be shown and go on.

    A journal is damaged where something else than Boxtune wrote to it, or the disk did. The journal as it was stays
    beside the new one. A trial whose lines are lost does not count, and another is made in its place when the run goes
    on; what it left is set aside in its folder's place, as NAME.lost-1.
    """
    done = keep_what_is_whole(folder)
    for line in done.dropped:
        print(f"dropped: {line}")
    for aside in done.set_aside:
        print(f"set aside: {aside}, left by a trial whose beginning is lost")
    if done.damaged is None:
        print(f"{folder}: nothing is damaged")
    else:
        print(f"{folder}: {done.kept} events kept; the journal as it was: {done.damaged}")
