"""`boxtune report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.options import volumes_of
from boxtune.cli.paths import output_file, shown
from boxtune.cli.targets import Context, Namespace, open_target
from boxtune.delivery.reporting import report_page
from boxtune.errors import InputError
from boxtune.local.reading import LOCK_FILE, is_locked


def report(
    target: Annotated[
        str, typer.Argument(metavar="RUN|NAME", help="the folder of a run, or an Experiment on the cluster")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="where the page goes (RUN/report.html, NAME-report.html)", parser=output_file
        ),
    ] = None,
    pictures: Annotated[int, typer.Option(min=0, help="how many images of the best trial's detections")] = 12,
    evaluation: Annotated[
        bool | None,
        typer.Option(
            "--evaluation/--no-evaluation",
            help="evaluate the best trial's checkpoint for the page (only once the run has ended: it needs the GPU)",
        ),
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="where a volume of a cluster's pod lies here, if configs depend on it"),
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Write a run as one HTML page that needs nothing but itself: open it anywhere, send it to anyone.

    The base config against the best trial, every trial, which parameters matter, the best trial's classes, curves and
    detections, its config against the base, and how to repeat it. Works while the run goes on.
    """
    found = open_target(target, context, namespace)
    folder, why_not = found.folder, ""
    if folder is None and evaluation:
        raise InputError(
            f"--evaluation: the checkpoints of {target} are on its cluster; boxtune train {target} makes a model here, "
            "and boxtune evaluate a page of it"
        )
    if evaluation is False:
        why_not = "it was not asked for (--no-evaluation)"
    elif evaluation is None and folder is not None and is_locked(folder / LOCK_FILE):
        why_not = "trials are running, and an evaluation would get in their way (--evaluation does it all the same)"
    page = report_page(found, pictures, why_not, volumes_of(volume))
    if out is None and folder is not None and shown(folder) != str(folder):
        raise InputError(f"{folder}: is in a bucket; say where the page goes, with --out FILE")
    file = out or (folder / "report.html" if folder is not None else Path(f"{target}-report.html"))
    try:
        file.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}; name another with --out") from None
    print(shown(file))
