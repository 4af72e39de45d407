"""`boxtune replay`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.table import Table

from boxtune.cli.paths import place
from boxtune.cli.printing import console
from boxtune.delivery.replaying import EQUAL, Replayed, ReplayOptions, local_reproduction
from boxtune.delivery.replaying import replay as replay_model
from boxtune.errors import EXIT_DONE, EXIT_FAILED
from boxtune.report.text import number


def replay(
    reproduction: Annotated[
        str, typer.Argument(metavar="reproduction.yaml", help="of a published version, in its folder or gs:// prefix")
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="where the training goes, gs:// too")] = "replay",
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="where the records lie now, under the same names; gs:// too")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="train though the records are others")] = False,
) -> int:
    """Make a published model again: check versions and data, train, measure, compare.

    Says what of data, versions and machine differs. A deterministic training in one go gives the same numbers on an
    equal machine, and exit code 3 where it does not; any other gives near ones, by as much as a seed moves them.

    Example: boxtune replay published/digits/1/reproduction.yaml --data data
    """
    options = ReplayOptions(place(out), data, anyway, ["boxtune", *sys.argv[1:]])
    found = replay_model(local_reproduction(reproduction), options)
    table = Table("split", "metric", "published", "again", "difference", box=None, pad_edge=False)
    for each in found.comparisons:
        difference = "–" if each.difference is None else f"{each.difference:+.4f}"
        table.add_row(each.split, each.name, number(each.published), number(each.again), difference)
    screen = console()
    screen.print(table)
    for line in found.differences:
        screen.print(f"differs: {line}", soft_wrap=True)
    screen.print(_verdict(found), soft_wrap=True)
    return EXIT_FAILED if found.must_equal and not found.is_equal else EXIT_DONE


def _verdict(found: Replayed) -> str:
    if found.is_equal:
        return f"the same: no metric differs by more than {EQUAL:g}"
    if found.must_equal:
        return "not the same, though data, versions and machine are: something that nobody kept has changed"
    return "near, not equal: without --deterministic, after a pause or on another machine seeds give other numbers"
