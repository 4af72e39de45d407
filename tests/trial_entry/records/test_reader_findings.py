"""What a reader's records lack as a whole, what the config leaves of them, and what two readers share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.records import (
    ENCODED,
    LABEL,
    OBJECT,
    TEXT,
    Features,
    Made,
    config_of,
    every,
    label_map,
    nothing,
    of_size,
    only,
    picture,
    without,
    without_boxes,
    write,
)
from tests.records import features as sound
from trial_entry.finding import Finding
from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.records.dataset import look


def no_tram(image: Features, number: int) -> None:
    image.update({LABEL: [1, 2], TEXT: [b"car", b"bus"]})


def crowds(image: Features, number: int) -> None:
    image[OBJECT + "is_crowd"] = [1, 1]


def said(findings: Sequence[Finding]) -> dict[str, str]:
    """Severity and sentence by feature, of those that are of no single record's."""
    return {each.feature: f"{each.severity}: {each.what}" for each in findings}


def test_a_class_that_a_reader_lacks_is_named(made: Made) -> None:
    found = said(look(made(no_tram, no_tram)))
    assert found["train_input_reader"] == 'warning: no object of "tram" (1 of 3 classes): nothing can be learned of it'
    assert 'no object of "tram"' in found["eval_input_reader.0"]


def test_crowds_are_learned_from_and_not_measured(made: Made) -> None:
    assert said(look(made(crowds, nothing))) == {}
    (found,) = look(made(nothing, crowds))
    assert (found.severity, found.feature) == ("error", "eval_input_reader.0")
    assert "every box is a crowd (image/object/is_crowd)" in found.what


def test_a_reader_without_any_box_is_refused(made: Made) -> None:
    (found,) = look(made(nothing, every(without_boxes)))
    assert (found.severity, found.feature) == ("error", "eval_input_reader.0")
    assert "no record has a box" in found.what


def test_weights_of_0_everywhere_teach_nothing(made: Made) -> None:
    weightless = every(lambda image: image.update({OBJECT + "weight": [0.0, 0.0]}))
    (found,) = look(made(weightless, weightless))
    assert (found.severity, found.feature) == ("error", "train_input_reader")


def test_images_of_one_source_are_measured_once(made: Made) -> None:
    (found,) = look(made(nothing, every(lambda image: image.update({"image/source_id": b"7"}))))
    assert (found.severity, found.record, found.feature) == ("warning", 1, "image/source_id")
    assert "3 of 4 images are left out" in found.what


@pytest.mark.parametrize(
    ("field", "value", "severity", "says"),
    [
        ("train_input_reader.max_number_of_boxes", 1, "warning", "6 boxes of 6 images"),
        ("eval_input_reader.0.max_number_of_boxes", 1, "warning", "4 boxes of 4 images"),
        ("train_input_reader.sample_1_of_n_examples", 5, "warning", "leaves 2 of 6 images"),
        ("eval_input_reader.0.sample_1_of_n_examples", 3, "warning", "leaves 2 of 4 images"),
        ("eval_config.batch_size", 16, "error", "4 of 4 images"),
        ("eval_config.batch_size", 3, "warning", "1 of 4 images"),
    ],
)
def test_what_the_config_leaves_out(made: Made, field: str, value: int, severity: str, says: str) -> None:
    config = made(nothing, nothing)
    find_field(config, field).set(str(value))
    (found,) = look(config)
    assert found.severity == severity
    assert field in str(found)
    assert says in found.what


def test_an_incomplete_batch_may_be_kept(made: Made) -> None:
    config = made(nothing, nothing)
    config.eval_config.batch_size, config.eval_input_reader[0].drop_remainder = 16, False
    assert look(config) == []


def test_one_image_is_said(data: Path) -> None:
    label_map(data / "label_map.pbtxt")
    write(data / "train.record", [sound(number) for number in range(6)])
    write(data / "validation.record", [sound(100)])
    assert "warning: has one image" in [f"{each.severity}: {each.what}" for each in look(config_of(data))]


def test_images_of_several_shapes_fit_in_no_batch(made: Made) -> None:
    wide = only(3, partial(of_size, size=(128, 64)))
    assert look(made(wide, nothing)) == []  # a fixed shape
    config = made(wide, nothing)
    resizer = config.model.ssd.image_resizer.keep_aspect_ratio_resizer
    resizer.min_dimension, resizer.max_dimension = 64, 128
    (found,) = look(config)
    assert found.severity == "error"
    assert found.feature == "model.ssd.image_resizer.keep_aspect_ratio_resizer"
    assert "pad_to_max_dimension" in found.right
    assert "train.record: record 3" in found.what
    resizer.pad_to_max_dimension = True
    assert look(config) == []
    resizer.pad_to_max_dimension, config.train_config.batch_size = False, 1
    assert look(config) == []


def test_crops_of_any_proportions_fit_in_no_batch(made: Made) -> None:
    config = made(nothing, nothing)
    config.train_config.data_augmentation_options.add().random_crop_image.SetInParent()
    assert look(config) == []  # a fixed shape
    resizer = config.model.ssd.image_resizer.keep_aspect_ratio_resizer
    resizer.min_dimension, resizer.max_dimension = 64, 128
    (found,) = look(config)
    assert found.severity == "error"
    assert found.feature.startswith("train_config.data_augmentation_options.")
    assert found.feature.endswith(".random_crop_image")
    resizer.pad_to_max_dimension = True
    assert look(config) == []


def test_images_that_differ_in_scale_alone_fit(made: Made) -> None:
    config = made(only(3, partial(of_size, size=(192, 128))), nothing)
    resizer = config.model.ssd.image_resizer.keep_aspect_ratio_resizer
    resizer.min_dimension, resizer.max_dimension = 64, 128
    assert look(config) == []


def test_images_that_are_trained_on_and_measured_are_counted(made: Made) -> None:
    config = made(nothing, only(2, lambda image: image.update({ENCODED: picture(4)})))
    (found,) = look(config)
    assert (found.severity, Path(found.file).name, found.record) == ("warning", "validation.record", 2)
    assert "1 of 4 images of eval_input_reader.0 are in train_input_reader too" in found.what
    assert found.what.endswith("train.record: record 4")


def test_a_file_that_is_trained_on_and_measured_is_named(made: Made) -> None:
    config = made(nothing, nothing)
    config.eval_input_reader[0].tf_record_input_reader.input_path[:] = (
        config.train_input_reader.tf_record_input_reader.input_path
    )
    (found,) = look(config)
    assert found.severity == "warning"
    assert "the same file in train_input_reader and eval_input_reader.0" in found.what


def test_label_maps_that_differ_are_refused(made: Made, data: Path) -> None:
    config = made(every(without(TEXT)), every(without(TEXT)))
    config.eval_input_reader[0].label_map_path = str(label_map(data / "other.pbtxt", ["tram", "car", "bus"]))
    (found,) = look(config)
    assert (found.severity, found.feature) == ("error", "eval_input_reader.0.label_map_path")
    assert 'other.pbtxt: "tram" is class 1, and class 3 in train_input_reader' in found.what
    label_map(data / "other.pbtxt", ["car", "bus", "train"])
    (found,) = look(config)
    assert found.severity == "warning"
    assert '"train", and "tram" in' in found.what
