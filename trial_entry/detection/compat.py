"""What the Object Detection API needs on a current TensorFlow, patched in this process, each with its reason.

Nothing on disk is touched. A test takes each patch away and sees the API fail; when it no longer does,
the patch goes.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from trial_entry.logs import quiet_tensorflow, without_chatter
from trial_entry.pipeline_config.protos import StringIntLabelMap, install_import_hook

if TYPE_CHECKING:
    import tensorflow as tf
    from PIL import ImageFont


@dataclass(frozen=True)
class Patch:
    """One repair.

    Attributes:
        name: what it repairs.
        reason: what happens without it.
        apply: does it; runs before TensorFlow is imported (`early`) or after.
    """

    name: str
    reason: str
    apply: Callable[[], None]
    early: bool = False


def _legacy_keras() -> None:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


def _tensorflow_io() -> None:
    sys.modules.setdefault("tensorflow_io", ModuleType("tensorflow_io"))


def _control_flow() -> None:
    from tensorflow.python.ops import cond, control_flow_case, control_flow_ops

    control_flow_ops.case = control_flow_case.case
    control_flow_ops.cond = cond.cond


def _estimator() -> None:
    import tensorflow as tf

    class ModeKeys:
        TRAIN, EVAL, PREDICT = "train", "eval", "infer"

    estimator = ModuleType("tensorflow.compat.v1.estimator")
    vars(estimator)["ModeKeys"] = ModeKeys
    tf.compat.v1.estimator = estimator


def _font_size() -> None:
    from PIL import ImageFont

    def getsize(font: ImageFont.FreeTypeFont, text: str) -> tuple[float, float]:
        left, top, right, bottom = font.getbbox(text)
        return right - left, bottom - top

    for font in (ImageFont.FreeTypeFont, ImageFont.ImageFont):
        if not hasattr(font, "getsize"):
            font.getsize = getsize


def _keras_resnet() -> None:
    import tf_keras
    from tf_keras.src.applications import resnet

    applications = ModuleType("keras.applications")
    vars(applications).update(vars(tf_keras.applications), resnet=resnet)
    sys.modules.setdefault("keras", tf_keras)
    sys.modules["keras.applications"] = applications


def _seeded_map() -> None:
    from tensorflow.python.data.ops import dataset_ops

    def map_with_legacy_function(
        dataset: tf.data.Dataset,
        map_func: Callable[..., object],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
    ) -> tf.data.Dataset:
        return dataset.map(map_func, dataset_ops.AUTOTUNE, deterministic)

    dataset_ops.DatasetV1.map_with_legacy_function = map_with_legacy_function


def _seeded_crop() -> None:
    import tensorflow as tf

    image = tf.compat.v1.image
    original = image.sample_distorted_bounding_box

    def sample_distorted_bounding_box(
        *args: object, seed: int | None = None, seed2: int | None = None, **options: object
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        if not seed and not seed2:
            seed, seed2 = tf.compat.v1.get_seed(None)
        cropped: tuple[tf.Tensor, tf.Tensor, tf.Tensor] = original(*args, seed=seed, seed2=seed2, **options)
        return cropped

    image.sample_distorted_bounding_box = sample_distorted_bounding_box


def _label_maps() -> None:
    from object_detection.utils import label_map_util

    from trial_entry.records.label_map import read_label_map_message

    def load_labelmap(path: str) -> StringIntLabelMap:
        message = read_label_map_message(Path(path))
        label_map_util._validate_label_map(message)
        return message

    label_map_util.load_labelmap = load_labelmap


def _blackout() -> None:
    import tensorflow as tf
    from object_detection.utils import target_assigner_utils as utils

    original = utils.blackout_pixel_weights_by_box_regions

    @lru_cache(maxsize=1)
    def converted() -> Callable[..., tf.Tensor]:  # once, where there are keypoints at all
        found: Callable[..., tf.Tensor] = tf.autograph.to_graph(original)
        return found

    def blackout_pixel_weights_by_box_regions(*args: object, **options: object) -> tf.Tensor:
        return converted()(*args, **options)

    utils.blackout_pixel_weights_by_box_regions = blackout_pixel_weights_by_box_regions


PATCHES = (
    Patch(
        "legacy_keras",
        "the API and tf-models-official are written for Keras 2: Keras 3 has no `layers.experimental`",
        _legacy_keras,
        early=True,
    ),
    Patch("tensorflow_io", "imported by the DeepMAC model alone, and without a wheel here", _tensorflow_io, early=True),
    Patch("control_flow", "tf-slim takes `case` and `cond` from control_flow_ops, which lost them", _control_flow),
    Patch("estimator", "model_lib names `tf.estimator.ModeKeys`; estimators left TensorFlow in 2.16", _estimator),
    Patch("font_size", "evaluation's drawing calls `getsize`, which Pillow 10 removed", _font_size),
    Patch(
        "keras_resnet",
        "CenterNet's ResNet extractors take `keras.applications.resnet`, whose Keras 3 has no `ResNet`; importing it "
        "would take 3 s besides",
        _keras_resnet,
    ),
    Patch(
        "seeded_map",
        "dataset_builder prefers `map_with_legacy_function`, whose graph never sees the random seed",
        _seeded_map,
    ),
    Patch(
        "seeded_crop",
        "the random crops of the preprocessor call `sample_distorted_bounding_box` without a seed, which no other "
        "random operation needs where there is a global one, but this one asks for when determinism is on",
        _seeded_crop,
    ),
    Patch(
        "label_maps",
        "`load_labelmap` ends in a TypeError at a mark before UTF-8, as Notepad writes it, and at what is no label map",
        _label_maps,
    ),
    Patch(
        "blackout",
        "a CenterNet's keypoints: the one function of a training step with a Python `if` on a tensor, which only "
        "AutoGraph's conversion makes a graph of; all the rest is traced without",
        _blackout,
    ),
)


def load_api(without: Collection[str] = ()) -> None:
    """Import TensorFlow, repaired, so that `object_detection` can be imported; a second call is cheap.

    Args:
        without: names of patches to leave out, for the tests that ask whether one is still needed.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    chosen = [patch for patch in PATCHES if patch.name not in without]
    install_import_hook()
    for patch in chosen:
        if patch.early:
            patch.apply()
    with without_chatter():
        importlib.import_module("tensorflow")
        quiet_tensorflow()
        for patch in chosen:
            if not patch.early:
                patch.apply()
        importlib.import_module("tf_slim")
