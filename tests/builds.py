"""Small things built with the API, for programs that load it first."""

from __future__ import annotations

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
