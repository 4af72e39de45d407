"""Detection's serving functions: a model from images, or from their files, to boxes, as a SavedModel carries them.

The API's `exporter_lib_v2` has the same steps, but takes one image at a time, and one kind of input a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trial_entry.contract.exports import BYTES_INPUT, BYTES_SIGNATURE, IMAGES_INPUT, IMAGES_SIGNATURE, ResizerRecord
from trial_entry.detection.model import BuiltModel, set_training
from trial_entry.detection.runtime import autograph
from trial_entry.detection.sharing import anchors_in_the_graph
from trial_entry.pipeline_config.exportable import resizer_of
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

if TYPE_CHECKING:
    import tensorflow as tf
    from object_detection.core.model import DetectionModel

    Tensors = dict[str, tf.Tensor]

_FIRST_CLASS = 1  # the API's classes begin at 0 within a model, at 1 in a label map
_COLOURS = 3


@dataclass(frozen=True)
class Serving:
    """What a model offers.

    Attributes:
        images: [batch, height, width, 3] uint8, RGB, to detections.
        encoded: [batch] files of JPEG, PNG, BMP or GIF (its first frame), to detections.
    """

    images: tf.types.experimental.PolymorphicFunction
    encoded: tf.types.experimental.PolymorphicFunction


def serving_functions(built: BuiltModel, config: TrainEvalPipelineConfig) -> Serving:
    """Both functions, traced with the weights where they are.

    Detections are the API's: `detection_boxes` [batch, most, 4] as ymin, xmin, ymax, xmax in shares of the image,
    `detection_classes` by their number in the label map and `detection_scores` [batch, most], `num_detections` [batch];
    all float32, the surest first, rows after `num_detections` are padding.
    """
    import tensorflow as tf

    model, edges = built.model, _edges(resizer_of(config))

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, IMAGES_INPUT)])
    def from_images(input_tensor: tf.Tensor) -> Tensors:
        images, shapes = model.preprocess(tf.cast(input_tensor, tf.float32))
        images.set_shape([None, *edges, _COLOURS])
        return _detect(model, images, shapes)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string, BYTES_INPUT)])
    def from_bytes(image_bytes: tf.Tensor) -> Tensors:
        images, shapes = _decoded(model, image_bytes)
        images.set_shape([None, *edges, _COLOURS])
        return _detect(model, images, shapes)

    set_training(model, False)
    with autograph(False), anchors_in_the_graph():
        for function in (from_images, from_bytes):
            function.get_concrete_function()
    return Serving(from_images, from_bytes)


def write_saved_model(serving: Serving, folder: Path) -> None:
    """Write `folder`, which needs nothing but TensorFlow to be loaded: no Keras object is in it, only functions."""
    import tensorflow as tf

    module = tf.Module()
    module.images, module.encoded = serving.images, serving.encoded
    module.weights = list(serving.images.get_concrete_function().variables)
    with autograph(False):
        signatures = {IMAGES_SIGNATURE: serving.images, BYTES_SIGNATURE: serving.encoded}
        tf.saved_model.save(module, str(folder), signatures=signatures)


def _edges(resizer: ResizerRecord) -> tuple[int | None, int | None]:
    """Of what the model sees, where every image has the same."""
    if resizer.kind == "fixed_shape_resizer":
        return resizer.height, resizer.width
    return (resizer.width, resizer.width) if resizer.pads else (None, None)


def _decoded(model: DetectionModel, files: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Each file decoded and resized by itself: [batch, height, width, 3], and each one's own [height, width, 3].

    Images that keep their aspect ratio without padding come out unlike; they are padded with 0 to the largest.
    """
    import tensorflow as tf

    def one(file: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        image = tf.io.decode_image(file, channels=_COLOURS, expand_animations=False)
        image.set_shape([None, None, _COLOURS])
        images, shapes = model.preprocess(tf.cast(image, tf.float32)[tf.newaxis])
        return tf.RaggedTensor.from_tensor(images[0]), shapes[0]

    images, shapes = tf.map_fn(
        one,
        files,
        fn_output_signature=(
            tf.RaggedTensorSpec([None, None, _COLOURS], tf.float32, ragged_rank=1),
            tf.TensorSpec([_COLOURS], tf.int32),
        ),
    )
    return images.to_tensor(), shapes


def _detect(model: DetectionModel, images: tf.Tensor, shapes: tf.Tensor) -> Tensors:
    import tensorflow as tf
    from object_detection.core import standard_fields

    names = standard_fields.DetectionResultFields
    found = model.postprocess(model.predict(images, shapes), shapes)
    return {
        names.detection_boxes: tf.cast(found[names.detection_boxes], tf.float32),
        names.detection_classes: tf.cast(found[names.detection_classes], tf.float32) + _FIRST_CLASS,
        names.detection_scores: tf.cast(found[names.detection_scores], tf.float32),
        names.num_detections: tf.cast(found[names.num_detections], tf.float32),
    }
