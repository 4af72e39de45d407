"""bfloat16: an option of the config that a trial honours, with checkpoints that any program reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trials import rows, run, train_arguments


@pytest.mark.e2e
def test_a_trial_in_bfloat16_trains_and_its_weights_are_float32(data: Path, tmp_path: Path) -> None:
    """Without oneDNN, whose bfloat16 training of this model gives no finite numbers on some processors."""
    model_dir = tmp_path / "model"
    arguments = train_arguments(data / "pipeline.config", model_dir, "--set=bfloat16=true", "--seed=1")
    ended = run(*arguments, TF_ENABLE_ONEDNN_OPTS="0")
    assert ended.code == 0, ended.err
    ours = rows(model_dir)[-1]["metrics"]
    assert ours["diverged"] == 0
    config = (model_dir / "pipeline.config").read_text()
    assert "use_bfloat16: true" in config
    (tmp_path / "plain.config").write_text(config.replace("use_bfloat16: true", "use_bfloat16: false"))
    measured = run("evaluate", f"--pipeline_config_path={tmp_path / 'plain.config'}", f"--model_dir={model_dir}")
    assert measured.code == 0, measured.err
    plain = {name: value for _, name, value in measured.metrics}["total_loss"]
    assert plain != ours["total_loss"]  # computed otherwise
    assert abs(plain - ours["total_loss"]) < 0.02 * plain  # from the same weights
