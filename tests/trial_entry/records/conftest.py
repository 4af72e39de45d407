"""What tests of looks at records need: records that a test makes wrong, and the config that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records import Change, Made, config_of, features, label_map, write
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig


@pytest.fixture
def made(data: Path) -> Made:
    """Makes 6 training and 4 validation images, changed by the two functions, and the config that reads them."""

    def make(change: Change, of_validation: Change) -> TrainEvalPipelineConfig:
        for name, first, count, how in (("train", 0, 6, change), ("validation", 100, 4, of_validation)):
            images = [features(first + number) for number in range(count)]
            for number, image in enumerate(images):
                how(image, number)
            write(data / f"{name}.record", images)
        label_map(data / "label_map.pbtxt")
        return config_of(data)

    return make
