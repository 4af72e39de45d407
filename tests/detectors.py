"""Detectors that have learned something, trained once for all tests that ask whether a model still knows it."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from boxtune.demo.digits import DigitsSpec, make_digits
from tests.conftest import write_config
from tests.made_once import made_once
from tests.trials import Ended, run, train_arguments
from trial_entry.records.examples import decode_example
from trial_entry.records.tfrecord import read_records

# Enough steps for an mAP that an export can lose.
SSD = ("--set=num_steps=150", "--set=learning_rate=0.004")
CENTER_NET = ("--set=model=hourglass_10", "--set=image_size=128", "--set=batch_size=8", "--set=num_steps=200")


def trained(factory: pytest.TempPathFactory, name: str, *assignments: str) -> Path:
    """The MODEL_DIR of a detector of 128 pixels, trained on the 300 images beside it."""

    def train(folder: Path) -> None:
        make_digits(folder, DigitsSpec(train_images=300, validation_images=30, test_images=4))
        config = write_config(folder, **{"batch_size: 4": "batch_size: 16"})
        ended = run(*train_arguments(config, folder / "model", "--seed=1", *assignments))
        assert ended.code == 0, ended.err

    return made_once(factory, f"detector-{name}", train) / "model"


def export(model_dir: Path, output: Path, *more: str) -> Ended:
    """The command `export`."""
    config = f"--pipeline_config_path={model_dir / 'pipeline.config'}"
    return run("export", config, f"--model_dir={model_dir}", f"--output={output}", *more)


def exported(factory: pytest.TempPathFactory, model_dir: Path) -> tuple[Path, Ended]:
    """Every format of a detector, and how its export ended."""

    def make(folder: Path) -> None:
        (folder / "ended.json").write_text(json.dumps(dataclasses.asdict(export(model_dir, folder / "export"))))

    folder = made_once(factory, f"export-{model_dir.parent.name}", make)
    return folder / "export", Ended(**json.loads((folder / "ended.json").read_text()))


def images_of(model_dir: Path, folder: Path, as_they_are: bool = False) -> list[Path]:
    """The detector's validation images, written below `folder`: as PNG files, which all decoders read alike.

    Args:
        as_they_are: the records' own JPEG files instead.
    """
    files = []
    for number, data in enumerate(read_records(model_dir.parent / "validation.record")):
        encoded = decode_example(data, "")["image/encoded"][0]
        files.append(folder / f"{number:02}.{'jpg' if as_they_are else 'png'}")
        if as_they_are:
            files[-1].write_bytes(encoded)
            continue
        with Image.open(io.BytesIO(encoded)) as image:
            image.save(files[-1])
    return files
