"""Evaluating the model in hand on the config's evaluation records."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from trial_entry.contract.metrics import TOTAL_LOSS
from trial_entry.detection.averages import measured_weights
from trial_entry.detection.before_suppression import collect, floor_of, recorded_suppression
from trial_entry.detection.failing_record import reading_error
from trial_entry.detection.model import BuiltModel, forget_groundtruth, set_training
from trial_entry.detection.runtime import autograph, has_gpu, without_autotune, without_shared_sums
from trial_entry.errors import DataError
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.detections import Category, Detections
from trial_entry.measuring.raw_detections import RawCollector
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.label_map import LabelMap

if TYPE_CHECKING:
    import tensorflow as tf

    Tensors = dict[str, tf.Tensor]

A = TypeVar("A")
R = TypeVar("R")
Arrays = dict[str, NDArray[np.generic]]
_LOG = logging.getLogger(__name__)
_AT_A_TIME = 2  # batches: more would need more memory than training does
TRAINING_LOSS = "Loss/total_loss"  # the API's name


@dataclass(frozen=True)
class _Prepared:
    """What evaluates.

    Attributes:
        dataset: the batches, features and labels.
        predict: the traced graph: a batch's loss, and its boxes as tensors by name.
    """

    dataset: tf.data.Dataset
    predict: Callable[..., tuple[tf.Tensor, Tensors]]

    def measure(self, batch: tuple[Tensors, Tensors]) -> tuple[float, Arrays]:
        """Loss and boxes of one batch, as numbers; called from several threads."""
        with without_shared_sums():
            loss, boxes = self.predict(*batch)
        return float(loss), {name: tensor.numpy() for name, tensor in boxes.items()}


class Evaluator:
    """Evaluates as `model_main_tf2` does, in the same process as training; its graph is traced once."""

    def __init__(
        self,
        built: BuiltModel,
        config: TrainEvalPipelineConfig,
        label_map: LabelMap,
        score_threshold: float,
        raw: RawCollector | None = None,
        images: int = 0,
    ) -> None:
        """
        Args:
            score_threshold: for precision and recall.
            raw: takes the boxes before suppression too; of one evaluation.
            images: evaluate the first so many, rounded up to a whole batch; 0 for all.
        """
        self._built = built
        self._config = config
        self._label_map = label_map
        self._score_threshold = score_threshold
        self._raw = raw
        self._images = images
        self._prepared: Future[_Prepared] | None = None
        self.detections: Detections | None = None  # of the last evaluation

    def prepare(self) -> None:
        """Begin to build the input and to trace the graph, in a thread of its own: training goes on meanwhile.

        Not while another thread traces: the model knows only one way, training or not.
        """
        if self._prepared is None:
            pool = ThreadPoolExecutor(1)
            self._prepared = pool.submit(self._prepare)
            pool.shutdown(wait=False)

    def evaluate(self) -> dict[str, float]:
        """Metrics of the model's current weights, or of their averages; `total_loss` is the mean over the images.

        Raises:
            DataError: a record cannot be read, or none has a box.
        """
        import tensorflow as tf

        self.prepare()
        assert self._prepared is not None
        try:
            prepared = self._prepared.result()
            with autograph(False), measured_weights(self._built, self._config):
                return self._run(prepared)
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
            raise reading_error(error, self._config, "eval_input_reader.0", self._built.model) from None

    def _prepare(self) -> _Prepared:
        with autograph(False):
            with self._built.objects_lock:
                dataset = self._build_dataset()
                prepared = _Prepared(dataset, self._build_predict().get_concrete_function(*dataset.element_spec))
            if not has_gpu():  # whose memory training may need to the last byte
                for batch in dataset.take(1):
                    prepared.measure(batch)  # the first run optimizes the graph
        return prepared

    def _run(self, prepared: _Prepared) -> dict[str, float]:
        categories: list[Category] = [{"id": number, "name": label} for number, label in self._label_map.labels.items()]
        detections, losses, twice = Detections(categories), [], 0
        set_training(self._built.model, False)
        for loss, batch in _in_order(prepared.measure, prepared.dataset):
            losses.append(loss)
            twice += self._add_batch(detections, batch)
        if twice:
            _LOG.warning("%d images share a source_id with an earlier one and are not evaluated, as in the API", twice)
        if not detections.annotations:
            raise DataError("eval_input_reader: no record has a box of a class in the label map; nothing to measure")
        self.detections = detections
        metrics = all_metrics(detections, self._label_map.metric_names(), self._score_threshold)
        total_loss = float(np.mean(losses))
        return {**metrics, TOTAL_LOSS: total_loss} if np.isfinite(total_loss) else metrics

    def images(self, wanted: Collection[int]) -> Iterator[tuple[int, NDArray[np.uint8], tuple[int, int]]]:
        """The images of these ids: id, [height, width, 3] uint8 as the model sees it, height and width of the record.

        The API resizes what it calls the original image; boxes of an evaluation are in the record's pixels.
        """
        from object_detection import inputs
        from object_detection.core import standard_fields as fields

        assert self._prepared is not None  # after an evaluation
        names, left = fields.InputDataFields, set(wanted)
        for features, _ in self._prepared.result().dataset:
            recorded = features[names.original_image_spatial_shape].numpy()
            resized = features[names.true_image_shape].numpy()  # without what the resizer put around it
            for row, image in enumerate(features[inputs.HASH_KEY].numpy()):
                if int(image) in left:
                    left.discard(int(image))
                    height, width = resized[row][:2]
                    pixels = features[names.original_image][row].numpy()[:height, :width]
                    yield int(image), pixels, (int(recorded[row][0]), int(recorded[row][1]))
            if not left:
                return

    def _build_dataset(self) -> tf.data.Dataset:
        from object_detection import inputs

        reader = type(self._config.eval_input_reader[0])()
        reader.CopyFrom(self._config.eval_input_reader[0])
        reader.num_epochs = 1  # as the stock evaluation sets it
        reader.shuffle = False  # the order is no matter to the numbers
        if self._config.eval_config.batch_size > 1 and reader.drop_remainder:
            _LOG.warning("eval_config.batch_size is above 1: images of a last incomplete batch are not evaluated")
        dataset = inputs.eval_input(self._config.eval_config, reader, self._config.model, model=self._built.model)
        if self._images:
            dataset = dataset.take(math.ceil(self._images / max(1, self._config.eval_config.batch_size)))
        return without_autotune(dataset)

    def _build_predict(self) -> tf.types.experimental.PolymorphicFunction:
        import tensorflow as tf
        from object_detection import model_lib, model_lib_v2
        from object_detection.core import standard_fields as fields

        model, config = self._built.model, self._config
        truth, found = fields.InputDataFields, fields.DetectionResultFields

        @tf.function(autograph=False)
        def predict(features: Tensors, labels: Tensors) -> tuple[tf.Tensor, Tensors]:
            set_training(model, False)
            forget_groundtruth(model)
            boxes_shape = labels[truth.groundtruth_boxes].shape.as_list()
            unstacked = model_lib.unstack_batch(
                labels, unpad_groundtruth_tensors=boxes_shape[1] is not None and config.eval_config.batch_size == 1
            )
            losses, predictions = model_lib_v2._compute_losses_and_predictions_dicts(
                model, features, unstacked, add_regularization_loss=config.train_config.add_regularization_loss
            )
            detections, more = self._postprocessed(predictions, features)
            result, _ = model_lib_v2.prepare_eval_dict(detections, dict(labels), features)
            classes = result[truth.groundtruth_classes]
            return losses[TRAINING_LOSS], {
                "image": result[truth.key],
                "truth_count": result[truth.num_groundtruth_boxes],
                "truth_boxes": result[truth.groundtruth_boxes],
                "truth_classes": classes,
                "truth_is_crowd": result.get(truth.groundtruth_is_crowd, tf.zeros_like(classes, tf.bool)),
                "found_count": result[found.num_detections],
                "found_boxes": result[found.detection_boxes],
                "found_classes": result[found.detection_classes],
                "found_scores": result[found.detection_scores],
                **more,
            }

        return predict

    def _postprocessed(self, predictions: Tensors, features: Tensors) -> tuple[Tensors, Tensors]:
        """The API's detections, and the candidates that they were chosen from where those are wanted."""
        from object_detection.core import standard_fields as fields

        names, model, raw = fields.InputDataFields, self._built.model, self._raw
        shapes = features[names.true_image_shape]
        if raw is None:
            return model.postprocess(predictions, shapes), {}
        with recorded_suppression(model) as recorded:
            detections = model.postprocess(predictions, shapes)
        raw.suppression, raw.floor = recorded.suppression, floor_of(recorded.suppression)
        return detections, {**recorded.rows, "raw_sizes": features[names.original_image_spatial_shape]}

    def _add_batch(self, detections: Detections, batch: Arrays) -> int:
        """Add every image of a batch; returns how many had been added before."""
        twice = 0
        for row, image in enumerate(batch["image"]):
            truths, founds = int(batch["truth_count"][row]), int(batch["found_count"][row])
            truth = {name: batch[f"truth_{name}"][row][:truths] for name in ("boxes", "classes", "is_crowd")}
            found = {name: batch[f"found_{name}"][row][:founds] for name in ("boxes", "classes", "scores")}
            if not detections.add(int(image), truth, found):
                twice += 1
            elif self._raw is not None:
                collect(self._raw, int(image), row, batch, truth)
        return twice


def image_ids(sources: Sequence[bytes]) -> list[int]:
    """The id that the API gives to the image of each source_id."""
    import tensorflow as tf
    from object_detection import inputs

    if not sources:
        return []
    hashed = tf.strings.to_hash_bucket_fast(tf.constant(list(sources)), inputs.HASH_BINS)
    return [int(number) for number in tf.cast(hashed, tf.int32).numpy()]


def _in_order(function: Callable[[A], R], arguments: Iterable[A]) -> Iterator[R]:
    """The results for all arguments, in their order; a few at a time, since one small image leaves cores idle."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        pending: deque[Future[R]] = deque()
        for argument in arguments:
            pending.append(pool.submit(function, argument))
            if len(pending) > _AT_A_TIME:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
