"""`boxtune export` on detectors that have learned something, and on one that has not."""

from __future__ import annotations

import shutil
from pathlib import Path

from boxtune.delivery.exporting import training_tiling
from boxtune.delivery.model import open_model
from tests.experiments import boxtune
from trial_entry.contract.exports import TilingRecord, read_export


def test_export_writes_into_the_model_and_prints_both(ssd: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(ssd, tmp_path / "model"))
    ended = boxtune("export", model, "--format", "saved_model", "--compare", "10")
    assert ended.code == 0, ended.err
    record, [row] = read_export(model / "export"), [line for line in ended.out.splitlines() if "saved_model " in line]
    assert row.split()[-3:-1] == [f"{record.metrics['mAP']:.4f}"] * 2
    assert row.split()[-1] == "good"
    assert "compared on 10 validation images" in ended.out
    assert "saved_model: mAP " in ended.err  # the log passes through
    wrong = boxtune("export", model, "--format", "core_ml")
    assert (wrong.code, wrong.err) == (
        2,
        "boxtune: --format core_ml: there are saved_model, tflite, tflite_fp16, tflite_int8, onnx\n",
    )


def test_a_model_that_cannot_be_so_is_named_in_one_line(trained: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(trained / "model", tmp_path / "model"))
    folder = open_model(str(model)).folder
    config = folder / "pipeline.config"
    text = config.read_text()
    assert "iou_threshold:" in text
    config.write_text(text.replace("iou_threshold:", "soft_nms_sigma: 0.5 iou_threshold:"))
    ended = boxtune("export", model, "--format", "tflite")
    assert ended.code == 2
    assert "soft_nms_sigma: TensorFlow Lite has no soft suppression" in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_tiles_of_the_training_data_are_known(ssd: Path, tmp_path: Path) -> None:
    model, data = Path(shutil.copytree(ssd, tmp_path / "model")), tmp_path / "data"
    data.mkdir()
    config = model / "pipeline.config"
    config.write_text(config.read_text().replace(str(ssd.parent / "train.record"), str(data / "train.record")))
    assert training_tiling(open_model(str(model))) is None
    (data / "import.json").write_text('{"format": 1, "tiling": {"width": 640, "height": 480, "overlap": 96}}')
    assert training_tiling(open_model(str(model))) == TilingRecord(640, 480, 96)
