"""Detection's TensorFlow Lite: an SSD or CenterNet from pixels of the right size to boxes, in float, half or int8.

An SSD's suppression becomes TensorFlow Lite's own operation (`TFLite_Detection_PostProcess`), as the API's
`export_tflite_graph_lib_tf2` has it; unlike there the normalisation of pixels is inside, so that every format takes
pixels from 0 to 255.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trial_entry.contract.exports import IMAGES_SIGNATURE, TFLITE_FP16, TFLITE_INPUT, TFLITE_INT8
from trial_entry.detection.model import BuiltModel, set_training
from trial_entry.detection.runtime import autograph
from trial_entry.detection.sharing import anchors_in_the_graph
from trial_entry.errors import ConfigError
from trial_entry.logs import without_chatter
from trial_entry.pipeline_config.exportable import resizer_of
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

if TYPE_CHECKING:
    import tensorflow as tf

    Tensors = dict[str, tf.Tensor]

Pixels = NDArray[np.float32]  # [height, width, 3], from 0 to 255, of the model's size
_OPERATION = "TFLite_Detection_PostProcess"
_BRIGHTEST = 255.0
_OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")  # in the operation's order


def tflite_model(
    built: BuiltModel, config: TrainEvalPipelineConfig, format: str, representative: Callable[[], Iterable[Pixels]]
) -> bytes:
    """The flatbuffer: input `image` [1, height, width, 3], of float32, or of uint8 in int8's file; outputs `_OUTPUTS`.

    Args:
        representative: images of the training data, by which int8's ranges are set.

    Raises:
        ConfigError: the converter refuses this model.
    """
    import tensorflow as tf

    resizer = resizer_of(config)
    spec = tf.TensorSpec([1, resizer.height, resizer.width, 3], tf.float32, TFLITE_INPUT)
    set_training(built.model, False)
    detect = _ssd(built, config) if config.model.WhichOneof("model") == "ssd" else _center_net(built)
    module = tf.Module()
    module.detect = tf.function(detect, autograph=False, input_signature=[spec])
    with tempfile.TemporaryDirectory() as folder, autograph(False), anchors_in_the_graph(), without_chatter():
        module.weights = list(module.detect.get_concrete_function().variables)
        tf.saved_model.save(module, folder, signatures={IMAGES_SIGNATURE: module.detect})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        _set_up(converter, format, representative)
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter's own kinds, which are not public
            said = str(error).strip().splitlines()
            raise ConfigError(
                f"TensorFlow Lite's converter refuses this model: {said[0] if said else error!r}"
            ) from None


def _set_up(converter: tf.lite.TFLiteConverter, format: str, representative: Callable[[], Iterable[Pixels]]) -> None:
    import tensorflow as tf

    converter.allow_custom_ops = True
    if format == TFLITE_FP16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    if format == TFLITE_INT8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _calibration(representative())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.inference_input_type = tf.uint8


def _calibration(images: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    """One input a step. Two pixels of the first are black and white: the input's range is then 0 to 255, whatever the
    images have, and a uint8 stands for itself.
    """
    for number, image in enumerate(images):
        pixels = np.array(image, np.float32)
        if number == 0:
            pixels[0, 0], pixels[0, 1] = 0.0, _BRIGHTEST
        yield [pixels[np.newaxis]]


def _ssd(built: BuiltModel, config: TrainEvalPipelineConfig) -> Callable[[tf.Tensor], Tensors]:
    import tensorflow as tf
    from object_detection.builders import post_processing_builder

    model, ssd = built.model, config.model.ssd
    _, scores_of = post_processing_builder.build(ssd.post_processing)
    anchors = _anchors(built, config)

    # A function without a body worth keeping: the converter puts its operation in the place of what has this name.
    @tf.function(autograph=False, experimental_implements=_operation(config))
    def suppressed(boxes: tf.Tensor, scores: tf.Tensor, anchors: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tuple(tf.constant(0.0, name=name) for name in _OUTPUTS)

    def detect(image: tf.Tensor) -> Tensors:
        # `predict` alone: its `preprocess` would resize what has its size already.
        predicted = model.predict(model._feature_extractor.preprocess(image), None)
        scores = scores_of(predicted["class_predictions_with_background"])
        found = suppressed(predicted["box_encodings"], scores, tf.constant(anchors))
        return dict(zip(_OUTPUTS, found, strict=True))

    return detect


def _anchors(built: BuiltModel, config: TrainEvalPipelineConfig) -> Pixels:
    """[anchors, 4] as centre y, centre x, height, width."""
    import tensorflow as tf
    from object_detection.core.box_list import BoxList

    resizer = resizer_of(config)
    predicted = built.model.predict(tf.zeros([1, resizer.height, resizer.width, 3]), None)
    parts = BoxList(tf.convert_to_tensor(predicted["anchors"])).get_center_coordinates_and_sizes()
    return np.stack([part.numpy() for part in parts], 1).astype(np.float32)


def _operation(config: TrainEvalPipelineConfig) -> str:
    """The operation's name and attributes, as the converter reads them from a function."""
    nms = config.model.ssd.post_processing.batch_non_max_suppression
    coder = config.model.ssd.box_coder.faster_rcnn_box_coder
    attributes: dict[str, bool | int | float] = {
        "max_detections": int(nms.max_total_detections),
        "max_classes_per_detection": 1,
        "detections_per_class": int(nms.max_detections_per_class),
        "use_regular_nms": not nms.use_class_agnostic_nms,  # class by class, as the API's own
        "nms_score_threshold": float(nms.score_threshold),
        "nms_iou_threshold": float(nms.iou_threshold),
        "y_scale": float(coder.y_scale),
        "x_scale": float(coder.x_scale),
        "h_scale": float(coder.height_scale),
        "w_scale": float(coder.width_scale),
        "num_classes": int(config.model.ssd.num_classes),
    }
    return " ".join((f'name: "{_OPERATION}"', *(_attribute(*each) for each in attributes.items())))


def _attribute(name: str, value: bool | int | float) -> str:
    kind = "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "f"
    return f'attr {{ key: "{name}" value {{ {kind}: {str(value).lower()} }} }}'


def _center_net(built: BuiltModel) -> Callable[[tf.Tensor], Tensors]:
    """Peaks need no suppression, so that the whole of it converts."""
    import tensorflow as tf

    model = built.model

    def detect(image: tf.Tensor) -> Tensors:
        shapes = tf.constant([image.shape[1:].as_list()], tf.int32)
        found = model.postprocess(model.predict(model._feature_extractor.preprocess(image), None), shapes)
        return {name: tf.cast(found[name], tf.float32) for name in _OUTPUTS}

    return detect
