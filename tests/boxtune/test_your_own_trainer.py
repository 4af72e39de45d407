"""docs/your-own-trainer.md's example: somebody else's program, checked, searched and reported as it stands there."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.experiments import boxtune

EXAMPLE = Path(__file__).parents[2] / "docs" / "your-own-trainer" / "experiment.yaml"


def test_the_example_runs(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    checked = boxtune("check", "experiment.yaml", folder=tmp_path)
    assert checked.code == 0, checked.out
    assert checked.out.endswith("experiment.yaml: no errors, no warnings\n")
    done = boxtune("run", "experiment.yaml", "--out", "run", folder=tmp_path)
    assert done.code == 0, done.err
    assert "6 trials ended, none failed" in done.out
    assert "with val_accuracy 0." in done.out
    assert "squares only" in done.out
    reported = boxtune("report", "run", folder=tmp_path)
    assert reported.code == 0, reported.err
    assert "val_accuracy" in (tmp_path / "run" / "report.html").read_text()
