"""The page of what `check_data` found: complete in itself, for KFP shows it in a sandboxed frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxtune.data.checking.record_check import RecordCheck
from boxtune.pages.rendering import render_page
from boxtune.problems import Problem

_TEMPLATES = Path(__file__).parent / "templates"


def findings_page(title: str, problems: Sequence[Problem], records: RecordCheck) -> str:
    """The page: counts of each split, what is wrong with the Experiment, what with the records.

    Args:
        title: what was looked at.
    """
    content = {
        "title": title,
        "problems": problems,
        "findings": records.findings,
        "splits": records.splits,
        "labels": records.labels,
        "plotly": "",
    }
    return render_page(_TEMPLATES, "findings.html", {}, content)
