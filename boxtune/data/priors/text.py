"""Data's priors in words: a table for the terminal, sentences, and the arguments of a trial that takes them."""

from __future__ import annotations

from rich.table import Table

from boxtune.data.priors.anchor_fit import MATCHED, AnchorFit
from boxtune.data.priors.suggestions import USUAL, Priors

_NO_VALUE = "-"


def priors_table(priors: Priors) -> Table:
    """A row a name: the value now, the one that the data suggest, and why."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("name", overflow="fold", max_width=40)
    table.add_column("now", overflow="fold", max_width=32)
    table.add_column("suggested", overflow="fold", max_width=32)
    table.add_column("why", overflow="fold", ratio=1)
    for each in priors.priors:
        suggested = each.suggested if each.changes else "as it is"
        table.add_row(each.name, each.now or _NO_VALUE, suggested, each.why, style="bold" if each.changes else "")
    return table


def priors_sentences(priors: Priors, config: str) -> list[str]:
    """What was read, and how many boxes meet an anchor before and after.

    Args:
        config: the config's name; empty where none was given.
    """
    sample = priors.sample
    drawn = len(sample.xmin)
    of = f"{sample.boxes} boxes" if drawn == sample.boxes else f"{drawn} of {sample.boxes} boxes, drawn at random"
    whose = config or f"the {USUAL}; --config names yours"
    lines = [f"read: {sample.images} images of {', '.join(sample.splits)}; {of}", f"for: {whose}"]
    if priors.now is not None and priors.suggested is not None:
        lines.append(
            f"boxes that meet an anchor at IoU {MATCHED}: {_fit(priors.now)} now, {_fit(priors.suggested)} then"
        )
    return lines


def priors_settings(priors: Priors, *, searched: bool = True) -> list[str]:
    """`--set=NAME=VALUE` of each suggestion that differs from the config.

    Args:
        searched: also those that a search can have ranges for.
    """
    wanted = [each for each in priors.priors if each.changes and (searched or each.searched is None)]
    return [f"--set={each.name}={each.suggested}" for each in wanted]


def _fit(fit: AnchorFit) -> str:
    return f"{fit.matched:.1%} (mean IoU {fit.mean:.2f}, {fit.shapes} anchors)"
