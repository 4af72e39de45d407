"""bfloat16: an option of the config that a trial honours, with checkpoints that any program reads."""

from __future__ import annotations

from pathlib import Path

from tests.trials import rows, run, train_arguments


def test_a_trial_in_bfloat16_trains_and_its_weights_are_float32(data: Path, tmp_path: Path) -> None:
    """Without oneDNN, whose bfloat16 training of this model gives no finite numbers on some processors."""
    model_dir = tmp_path / "model"
    arguments = train_arguments(data / "pipeline.config", model_dir, "--set=bfloat16=true", "--seed=1")
    ended = run(*arguments, TF_ENABLE_ONEDNN_OPTS="0")
    assert ended.code == 0, ended.err
    assert rows(model_dir)[-1]["metrics"]["diverged"] == 0
    config = model_dir / "pipeline.config"
    assert "use_bfloat16: true" in config.read_text()
    plain = tmp_path / "plain.config"
    plain.write_text(config.read_text().replace("use_bfloat16: true", "use_bfloat16: false"))
    losses = []
    for file in (config, plain):
        measured = run("evaluate", f"--pipeline_config_path={file}", f"--model_dir={model_dir}")
        assert measured.code == 0, measured.err
        losses.append({name: value for _, name, value in measured.metrics}["total_loss"])
    assert losses[0] != losses[1]  # computed otherwise
    assert abs(losses[0] - losses[1]) < 0.02 * losses[1]  # from the same weights
