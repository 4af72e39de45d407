"""An evaluation's pictures have boxes where the records have them, whatever the model's input size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import write_config
from tests.forks import Run
from tests.records import BBOX, features, label_map
from tests.trials import train_arguments
from trial_entry.records.examples import encode_example
from trial_entry.records.tfrecord import write_records

SIDES = ("xmin", "ymin", "xmax", "ymax")


@pytest.mark.parametrize("size", [(200, 120), (60, 90)])
def test_boxes_are_shares_of_the_record_s_image(size: tuple[int, int], tmp_path: Path, forked: Run) -> None:
    made = [features(seed, size=size) for seed in range(4)]
    for name in ("train.record", "validation.record"):
        write_records(tmp_path / name, [encode_example(each) for each in made])
    label_map(tmp_path / "label_map.pbtxt")
    config = write_config(tmp_path, **{"num_classes: 5": "num_classes: 3"})
    model = tmp_path / "model"
    trained = forked(*train_arguments(config, model, "--num_train_steps=2"))
    assert trained.code == 0, trained.err
    details = tmp_path / "details"
    measured = forked(
        "evaluate", *train_arguments(model / "pipeline.config", model, f"--details={details}", "--pictures=4")
    )
    assert measured.code == 0, measured.err
    pictures = json.loads((details / "details.json").read_text())["images"]
    assert len(pictures) == 4
    wanted = sorted(zip(*(made[0][BBOX + side] for side in SIDES), strict=True))
    for each in pictures:
        assert (each["width"], each["height"]) == size
        for box, expected in zip(sorted(truth["box"] for truth in each["truth"]), wanted, strict=True):
            x, y, width, height = box
            assert [x, y, x + width, y + height] == pytest.approx(expected, abs=1e-3)
