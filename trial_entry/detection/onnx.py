"""Detection's ONNX: the serving function of images, converted by tf2onnx (the extra `onnx`)."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from trial_entry.contract.exports import IMAGES_INPUT
from trial_entry.errors import ConfigError
from trial_entry.logs import without_chatter

if TYPE_CHECKING:
    import tensorflow as tf
    from onnx import ModelProto

    from trial_entry.detection.serving import Serving

_PACKAGES = ("tf2onnx", "onnxruntime")  # what converts, and what runs the result again
_OPSET = 18


def why_no_onnx() -> str:
    """Which package is missing; empty where none is."""
    missing = next((name for name in _PACKAGES if find_spec(name) is None), None)
    return f"{missing} is not installed here; pip install 'boxtune[onnx]'" if missing else ""


def onnx_model(serving: Serving) -> bytes:
    """The model's bytes: input `input_tensor` [batch, height, width, 3] uint8, outputs as the SavedModel's.

    Raises:
        ConfigError: the converter refuses this model.
    """
    import tensorflow as tf
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    spec = tf.TensorSpec([None, None, None, 3], tf.uint8, IMAGES_INPUT)
    try:
        with without_chatter():
            model, _ = tf2onnx.convert.from_function(serving.images, input_signature=[spec], opset=_OPSET)
        _keep_constants(model, serving.images.get_concrete_function())
    except Exception as error:  # whatever its many parts raise
        said = str(error).strip().splitlines()
        raise ConfigError(f"tf2onnx cannot convert this model: {said[0] if said else error!r}") from None
    return bytes(model.SerializeToString())


def _keep_constants(model: ModelProto, function: tf.types.experimental.ConcreteFunction) -> None:
    """What the function took from outside of its graph becomes constants: tf2onnx makes inputs of it."""
    from onnx import numpy_helper

    taken = zip(function.graph.internal_captures, function.captured_inputs, strict=True)
    values = {inside.name: outside for inside, outside in taken}
    for given in [each for each in model.graph.input if each.name != IMAGES_INPUT]:
        model.graph.initializer.append(numpy_helper.from_array(values[given.name].numpy(), given.name))
        model.graph.input.remove(given)
