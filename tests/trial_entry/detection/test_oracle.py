"""The API's own programs as the oracle: they measure our checkpoints as we do, and we measure theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stock import SINGLE_STEPS, evaluated, stock
from tests.trials import rows, run, train_arguments
from trial_entry.contract.arguments import Assignment
from trial_entry.contract.metrics import COCO_STATS
from trial_entry.pipeline_config.base_config import BaseConfig

# The twelve numbers of COCO, as model_main_tf2 names them.
STOCK_NAMES = {
    "mAP": "DetectionBoxes_Precision/mAP",
    "mAP_50": "DetectionBoxes_Precision/mAP@.50IOU",
    "mAP_75": "DetectionBoxes_Precision/mAP@.75IOU",
    "mAP_small": "DetectionBoxes_Precision/mAP (small)",
    "mAP_medium": "DetectionBoxes_Precision/mAP (medium)",
    "mAP_large": "DetectionBoxes_Precision/mAP (large)",
    "AR_1": "DetectionBoxes_Recall/AR@1",
    "AR_10": "DetectionBoxes_Recall/AR@10",
    "AR_100": "DetectionBoxes_Recall/AR@100",
    "AR_small": "DetectionBoxes_Recall/AR@100 (small)",
    "AR_medium": "DetectionBoxes_Recall/AR@100 (medium)",
    "AR_large": "DetectionBoxes_Recall/AR@100 (large)",
}


def assert_equal_numbers(ours: dict[str, float], theirs: dict[str, float]) -> None:
    """Equal to 1e-6; what COCO calls -1 (nothing to measure on) we leave out."""
    assert set(STOCK_NAMES) == set(COCO_STATS)
    for name, stock_name in STOCK_NAMES.items():
        if theirs[stock_name] == -1:
            assert name not in ours
        else:
            assert ours[name] == pytest.approx(theirs[stock_name], abs=1e-6), name
    assert ours["total_loss"] == pytest.approx(theirs["Loss/total_loss"], rel=1e-5)


def measured_by_stock(model_dir: Path, output: Path) -> dict[str, float]:
    """The last checkpoint of `model_dir`, by `model_main_tf2`."""
    stock(
        "model_main_tf2",
        f"--pipeline_config_path={model_dir / 'pipeline.config'}",
        f"--model_dir={output}",
        f"--checkpoint_dir={model_dir}",
        "--eval_timeout=1",
    )
    return evaluated(output)


@pytest.mark.e2e
def test_stock_measures_our_checkpoint_and_exports_it(data: Path, tmp_path: Path) -> None:
    model_dir, exported = tmp_path / "model", tmp_path / "exported"
    enough = ("--set=num_steps=120", "--set=batch_size=8", "--seed=1")  # for an mAP that is not 0
    trained = run(*train_arguments(data / "pipeline.config", model_dir, *enough))
    assert trained.code == 0, trained.err
    config = model_dir / "pipeline.config"
    ours = rows(model_dir)[-1]["metrics"]
    assert ours["mAP"] > 0  # or equality would say little
    assert_equal_numbers(ours, measured_by_stock(model_dir, tmp_path / "stock"))
    stock(
        "exporter_main_v2",
        f"--pipeline_config_path={config}",
        f"--trained_checkpoint_dir={model_dir}",
        f"--output_directory={exported}",
    )
    assert (exported / "saved_model" / "saved_model.pb").is_file()
    again = run("evaluate", f"--pipeline_config_path={config}", f"--model_dir={exported / 'checkpoint'}")
    assert again.code == 0, again.err
    measured = json.loads((exported / "checkpoint" / "evaluation.json").read_text())["metrics"]
    assert measured == {name: pytest.approx(ours[name], abs=1e-6) for name in measured}
    assert [(name, value) for _, name, value in again.metrics] == list(measured.items())


@pytest.mark.e2e
def test_averaged_weights_are_measured_as_stock_does_and_training_goes_on_from_the_plain_ones(
    data: Path, tmp_path: Path
) -> None:
    few = ("--set=num_steps=12", "--set=batch_size=8", "--set=learning_rate=0.05", "--seed=1", "--deterministic")
    kept = "--set=train_config.optimizer.use_moving_average=true"
    sides = {"plain": (kept,), "averaged": (kept, "--set=eval_config.use_moving_averages=true")}
    for name, more in sides.items():
        ended = run(*train_arguments(data / "pipeline.config", tmp_path / name, *few, *more, "--eval_every_n=6"))
        assert ended.code == 0, ended.err
    plain, averaged = (rows(tmp_path / name)[-1]["metrics"] for name in sides)
    # A hundred times what we may differ from stock; how far training has come by now depends on the processor.
    assert averaged["total_loss"] != pytest.approx(
        plain["total_loss"], rel=1e-3
    )  # a hundred times what we may differ from stock
    assert_same_weights(*(tmp_path / name / "ckpt-12" for name in sides))
    assert_equal_numbers(averaged, measured_by_stock(tmp_path / "averaged", tmp_path / "stock"))
    flags = (f"--pipeline_config_path={tmp_path / 'averaged' / 'pipeline.config'}", f"--model_dir={tmp_path / 'plain'}")
    again = run("evaluate", *flags)  # the same weights, so the same averages
    assert again.code == 0, again.err
    assert {name: value for _, name, value in again.metrics}["total_loss"] == pytest.approx(averaged["total_loss"])


def assert_same_weights(*prefixes: Path) -> None:
    """To the last bit, of two checkpoints' models."""
    import tensorflow as tf

    first, second = (tf.train.load_checkpoint(str(prefix)) for prefix in prefixes)
    names = [name for name in first.get_variable_to_shape_map() if name.startswith("model/")]
    assert names
    for name in names:
        assert (first.get_tensor(name) == second.get_tensor(name)).all(), name


@pytest.mark.e2e
def test_we_measure_a_stock_checkpoint_as_stock_does(data: Path, tmp_path: Path) -> None:
    """Through the config that our trial would render."""
    config, model_dir = tmp_path / "rendered.config", tmp_path / "stock"
    rendered = BaseConfig.read(data / "pipeline.config").render([Assignment("num_steps", "100")])
    config.write_text(rendered.text)
    flags = (f"--pipeline_config_path={config}", f"--model_dir={model_dir}")
    stock("model_main_tf2", *flags, SINGLE_STEPS, "--checkpoint_every_n=100", "--record_summaries=false")
    stock("model_main_tf2", *flags, f"--checkpoint_dir={model_dir}", "--eval_timeout=1")
    ended = run("evaluate", *flags)
    assert ended.code == 0, ended.err
    found = json.loads((model_dir / "evaluation.json").read_text())
    assert found["step"] == 100
    assert_equal_numbers(found["metrics"], evaluated(model_dir))
