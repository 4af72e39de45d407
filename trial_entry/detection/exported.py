"""Detection's exported files, loaded again: each format's own runtime, one way to ask it for boxes.

Nothing of the API is needed here but by whoever gives TensorFlow Lite its resizer.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trial_entry.contract.exports import BYTES_SIGNATURE, IMAGES_INPUT, IMAGES_SIGNATURE, TFLITE_INPUT
from trial_entry.detection.gpus import find_gpus
from trial_entry.errors import ConfigError
from trial_entry.logs import without_chatter

if TYPE_CHECKING:
    from collections.abc import Mapping

Images = NDArray[np.uint8]  # [batch, height, width, 3], RGB
Resize = Callable[[Images], NDArray[np.float32]]  # to what the model sees, still from 0 to 255
_ONNX_WARNINGS = 3  # onnxruntime's level of errors: it warns of what it cannot fuse


@dataclass(frozen=True)
class Found:
    """What is in one image.

    Attributes:
        boxes: [n, 4] as ymin, xmin, ymax, xmax in shares of the image.
        classes: [n], numbers of the label map.
        scores: [n], falling.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]
    scores: NDArray[np.float32]


class ExportedModel(Protocol):
    """An exported file that was loaded."""

    def detect(self, images: Images) -> list[Found]:
        """What is in each image of a batch."""


class SavedModel:
    """A folder `saved_model`."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ConfigError: TensorFlow cannot load it, or it has another signature.
        """
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        with without_chatter():
            import tensorflow as tf

        find_gpus()
        try:
            self._loaded = tf.saved_model.load(str(folder))
            self._signature = self._loaded.signatures[IMAGES_SIGNATURE]
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise ConfigError(f"{folder}: no SavedModel of boxtune export: {error}".splitlines()[0]) from None

    def detect(self, images: Images) -> list[Found]:
        """What is in each image of a batch."""
        import tensorflow as tf

        found = self._signature(**{IMAGES_INPUT: tf.constant(images)})
        return _found({name: tensor.numpy() for name, tensor in found.items()}, first_class=1)

    def detect_files(self, files: list[bytes]) -> list[Found]:
        """What is in each of these JPEG or PNG files, by the signature of encoded images."""
        import tensorflow as tf

        found = self._loaded.signatures[BYTES_SIGNATURE](tf.constant(files))
        return _found({name: tensor.numpy() for name, tensor in found.items()}, first_class=1)


class TFLiteModel:
    """A file `model*.tflite`."""

    def __init__(self, file: Path, resize: Resize) -> None:
        """
        Args:
            resize: makes of images what the model's input is.
        """
        import tensorflow as tf

        with warnings.catch_warnings(), without_chatter():
            warnings.simplefilter("ignore")  # of the interpreter's move to another package
            self._interpreter = tf.lite.Interpreter(model_path=str(file))
            self._interpreter.allocate_tensors()
        self.input: Mapping[str, Any] = self._interpreter.get_input_details()[0]
        self._runner = self._interpreter.get_signature_runner(IMAGES_SIGNATURE)
        self._resize = resize

    def detect(self, images: Images) -> list[Found]:
        """What is in each image of a batch; one after another, as the model takes them."""
        found = []
        for pixels in self._resize(images):
            given = pixels[np.newaxis]
            if self.input["dtype"] == np.uint8:
                scale, zero_point = self.input["quantization"]
                given = np.clip(np.rint(given / scale + zero_point), 0, 255).astype(np.uint8)
            found += _found(self._runner(**{TFLITE_INPUT: given}), first_class=0)
        return found


class OnnxModel:
    """A file `model.onnx`."""

    def __init__(self, file: Path) -> None:
        """
        Raises:
            ConfigError: onnxruntime cannot load it.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ONNX_WARNINGS
        onnxruntime.set_default_logger_severity(_ONNX_WARNINGS)
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # of its many kinds, one an error code
            raise ConfigError(f"onnxruntime cannot load {file.name}: {str(error).splitlines()[0]}") from None
        self._outputs = [each.name for each in self._session.get_outputs()]

    def detect(self, images: Images) -> list[Found]:
        """What is in each image of a batch."""
        found = self._session.run(self._outputs, {IMAGES_INPUT: images})
        return _found(dict(zip(self._outputs, found, strict=True)), first_class=1)


def _found(outputs: Mapping[str, NDArray[np.generic]], first_class: int) -> list[Found]:
    """A batch's outputs, image by image, without what fills up the rows."""
    counts = np.ravel(outputs["num_detections"]).astype(int)
    return [
        Found(
            outputs["detection_boxes"][row, :count].astype(np.float32),
            outputs["detection_classes"][row, :count].astype(np.int32) + np.int32(1 - first_class),
            outputs["detection_scores"][row, :count].astype(np.float32),
        )
        for row, count in enumerate(counts)
    ]
