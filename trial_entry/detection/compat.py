"""What the Object Detection API needs on a current TensorFlow, patched in this process, each with its reason.

Nothing on disk is touched. A test takes each patch away and sees the API fail; when it no longer does,
the patch goes.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from trial_entry.logs import quiet_tensorflow, without_chatter
from trial_entry.pipeline_config.protos import install_import_hook


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

    def getsize(font: Any, text: str) -> tuple[float, float]:
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
        dataset: Any, map_func: Any, num_parallel_calls: Any = None, deterministic: Any = None
    ) -> Any:
        return dataset.map(map_func, dataset_ops.AUTOTUNE, deterministic)

    dataset_ops.DatasetV1.map_with_legacy_function = map_with_legacy_function


def _lazy_modules() -> None:
    stubs = {name: _Lazy(name) for name in _LAZY if name not in sys.modules}
    sys.modules.update(stubs)


class _Lazy(ModuleType):
    """A module that is loaded when something of it is first used; importlib's LazyLoader loads at any `import`."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # the import system looks for these
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)


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
        "lazy_modules",
        "a second's worth of matplotlib and scipy for drawings, DensePose and one matcher: loaded when used",
        _lazy_modules,
    ),
    Patch(
        "seeded_map",
        "dataset_builder prefers `map_with_legacy_function`, whose graph never sees the random seed",
        _seeded_map,
    ),
)

_LAZY = (
    "matplotlib.pyplot",
    "object_detection.core.densepose_ops",
    "object_detection.matchers.hungarian_matcher",
    "object_detection.utils.visualization_utils",
)

# Optional to TensorFlow, tf_keras and tf-slim, and used by no detector; a quarter of all that is imported.
_SPARED = ("googleapiclient", "pandas", "scipy.linalg", "scipy.sparse", "sklearn")


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
    with without_chatter(), _spared():
        importlib.import_module("tensorflow")
        quiet_tensorflow()
        for patch in chosen:
            if not patch.early:
                patch.apply()
        importlib.import_module("tf_slim")


@contextmanager
def _spared() -> Iterator[None]:
    """Within, imports of _SPARED fail, which those who ask here take for "not installed" and do without."""
    absent = [name for name in _SPARED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: what Python documents for this
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
