"""The training step is the API's: same batches, same weights, same losses, whatever was done to its trace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.steps import STEPS
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config.base_config import BaseConfig


@pytest.mark.parametrize(("frozen", "steps"), [("true", STEPS), pytest.param("false", 2, marks=pytest.mark.e2e)])
def test_losses_are_those_of_the_stock_step(data: Path, tmp_path: Path, frozen: str, steps: int) -> None:
    """With batch statistics of one value an image (the last maps are 1 by 1), rounding errors are hundredths soon."""
    values = {"model.ssd.freeze_batchnorm": frozen, "optimizer": "momentum", "learning_rate": "0.01"}
    rendered = BaseConfig.read(data / "pipeline.config").render([Assignment(*each) for each in values.items()])
    config, losses = tmp_path / "rendered.config", {}
    config.write_text(rendered.text)
    for which in ("ours", "stock"):
        command = [sys.executable, "-m", "tests.steps", which, str(config), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        losses[which] = json.loads((tmp_path / f"{which}.json").read_text())
    assert len(losses["ours"]) == len(losses["stock"]) == STEPS
    for number in range(steps):
        for name, loss in losses["ours"][number].items():
            assert loss == pytest.approx(losses["stock"][number][name], rel=1e-5), (number, name)
