"""`boxtune report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.paths import input_folder, output_file, shown
from boxtune.delivery.reporting import report_page
from boxtune.errors import InputError
from boxtune.local.reading import LOCK_FILE, is_locked, open_run


def report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="the folder that boxtune run was given with --out", parser=input_folder),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="where the page goes (RUN/report.html)", parser=output_file)
    ] = None,
    pictures: Annotated[int, typer.Option(min=0, help="how many images of the best trial's detections")] = 12,
    evaluation: Annotated[
        bool | None,
        typer.Option(
            "--evaluation/--no-evaluation",
            help="evaluate the best trial's checkpoint for the page (only once the run has ended: it needs the GPU)",
        ),
    ] = None,
) -> None:
    """Write a run as one HTML page that needs nothing but itself: open it anywhere, send it to anyone.

    The base config against the best trial, every trial, which parameters matter, the best trial's classes, curves and
    detections, its config against the base, and how to repeat it. Works while the run goes on.
    """
    found = open_run(folder)
    why_not = ""
    if evaluation is False:
        why_not = "it was not asked for (--no-evaluation)"
    elif evaluation is None and is_locked(folder / LOCK_FILE):
        why_not = "trials are running, and an evaluation would get in their way (--evaluation does it all the same)"
    page = report_page(found, pictures, why_not)
    if out is None and shown(folder) != str(folder):
        raise InputError(f"{folder}: is in a bucket; say where the page goes, with --out FILE")
    file = out or folder / "report.html"
    try:
        file.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}; name another with --out") from None
    print(shown(file))
