"""What a pipeline has left: a model that detects, pages that are complete."""

from __future__ import annotations

import json
from pathlib import Path

from tests.experiments import boxtune
from tests.pages import Page


def detects(version: str | Path, image: Path, out: Path) -> None:
    """The model in a folder finds something in an image."""
    ended = boxtune("predict", version, image, "--out", out, "--score-threshold", "0.01")
    assert ended.code == 0, ended.err
    assert json.loads((out / "results.json").read_text())


def is_complete(page: str | Path) -> None:
    """The page loads nothing from elsewhere."""
    assert all(each.startswith("data:") for each in Page(Path(page).read_text()).loads)
