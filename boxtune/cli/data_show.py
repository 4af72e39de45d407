"""`boxtune data show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.paths import input_file, output_file, shown
from boxtune.data.record_files import find_records
from boxtune.data.sheet.contact_sheet import make_sections
from boxtune.data.sheet.oddities import KINDS
from boxtune.data.sheet.page import sheet_page
from boxtune.data.sheet.picture import write_picture
from boxtune.data.sheet.survey import survey
from boxtune.errors import InputError


def data_show(
    records: Annotated[list[str], typer.Argument(metavar="RECORDS...", help="files, patterns, or a folder of them")],
    label_map: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="the label map (label_map.pbtxt beside the records)", parser=input_file),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="where the page goes", parser=output_file)] = Path(
        "contact-sheet.html"
    ),
    png: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="also the pictures as one picture", parser=output_file)
    ] = None,
) -> None:
    """Show boxes on images as one HTML page: odd ones first, smallest and largest, plots, then each class.

    The page needs nothing but itself. Every record is read, pictures are drawn at random (the same ones every time),
    and memory does not grow with the data.

    Example: boxtune data show data --out sheet.html
    """
    found = find_records(records, label_map)
    seen = survey(found)
    sections = make_sections(found, seen)
    name = ", ".join(records)
    page = sheet_page(name, seen, sections)
    try:
        out.write_text(page, encoding="utf-8", errors="replace")
        if png is not None:
            write_picture(png, name, sections)
    except OSError as error:
        raise InputError(f"{error.filename or out}: cannot be written: {error.strerror or error}") from None
    for kind, picks in seen.odd.items():
        print(f"{KINDS[kind]}: {picks.count}")
    for file in (out, png):
        if file is not None:
            print(shown(file))
