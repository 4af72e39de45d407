"""Small things built with the API, for programs that load it first."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.conftest import QUICK_START
from trial_entry.pipeline_config.text import read_config


def build_ssd() -> None:
    """The quick-start's model, its variables made."""
    import tensorflow as tf

    from trial_entry.detection.model import build_model
    from trial_entry.detection.runtime import autograph

    with autograph(False):
        build_model(read_config(QUICK_START / "pipeline.config"), tf.distribute.get_strategy())


def deterministic_map() -> None:
    """A random operation in a dataset's map, as dataset_builder maps, with determinism on."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    dataset = tf.compat.v1.data.Dataset.range(2).map_with_legacy_function(lambda item: tf.random.uniform([]))
    assert [float(number) for number in dataset]


def deterministic_crop() -> None:
    """The preprocessor's random crop, with determinism on: one seed, one crop."""
    import tensorflow as tf
    from object_detection.core import preprocessor

    tf.config.experimental.enable_op_determinism()
    image = tf.reshape(tf.range(64.0 * 64.0 * 3.0), [64, 64, 3])
    boxes, labels, weights = tf.constant([[0.2, 0.2, 0.8, 0.8]]), tf.constant([1]), tf.constant([1.0])
    crops = []
    for seed in (1, 1, 2):
        tf.keras.utils.set_random_seed(seed)
        crop, *_ = preprocessor.random_crop_image(image, boxes, labels, weights, min_object_covered=0.1)
        crops.append(crop.numpy().tolist())
    assert crops[0] == crops[1] != crops[2]


def marked_label_map() -> None:
    """A label map as Notepad writes it, read by the API."""
    from object_detection.utils import label_map_util

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label_map.pbtxt"
        path.write_bytes(b"\xef\xbb\xbfitem { id: 1 name: 'car' }")
        assert label_map_util.get_label_map_dict(str(path)) == {"car": 1}


def blackout() -> None:
    """Weights of pixels beside boxes, of which a graph does not know how many there are, without AutoGraph."""
    import tensorflow as tf
    from object_detection.utils import target_assigner_utils

    from trial_entry.detection.runtime import autograph

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 4])])  # type: ignore[untyped-decorator]
    def weights(boxes: tf.Tensor) -> tf.Tensor:
        covered = tf.ones([tf.shape(boxes)[0]], tf.bool)
        return target_assigner_utils.blackout_pixel_weights_by_box_regions(4, 4, boxes, covered)

    with autograph(False):
        assert float(tf.reduce_sum(weights(tf.constant([[0.0, 0.0, 2.0, 2.0]])))) == 16 - 4
        assert float(tf.reduce_sum(weights(tf.zeros([0, 4])))) == 16
