"""Detection's exporter: makes one format after another, loads each file again, and compares it with the checkpoint."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trial_entry.contract.exports import (
    BYTES_INPUT,
    BYTES_SIGNATURE,
    FAILED,
    FORMATS,
    GOOD,
    IMAGES_INPUT,
    IMAGES_SIGNATURE,
    IMPOSSIBLE,
    NOT_COMPARED,
    ONNX,
    SAVED_MODEL,
    TFLITE_INPUT,
    FormatRecord,
    InputRecord,
)
from trial_entry.contract.metrics import MAP
from trial_entry.detection.export_images import decoded, evaluated_images, model_resizer, training_images
from trial_entry.detection.exported import ExportedModel, OnnxModel, SavedModel, TFLiteModel
from trial_entry.detection.model import BuiltModel
from trial_entry.detection.onnx import onnx_model
from trial_entry.detection.serving import Serving, serving_functions, write_saved_model
from trial_entry.detection.tflite import tflite_model
from trial_entry.errors import ConfigError
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.detections import Detections, Numbers
from trial_entry.measuring.export_loss import Allowed, drops, too_much
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

_LOG = logging.getLogger(__name__)
_PIXELS = "RGB pixels from 0 to 255"
_FILES = "JPEG, PNG, BMP or GIF files, decoded as they are stored: what EXIF says of turning is not followed"
_RESIZED = f"one image of {_PIXELS}, resized to this size (bilinear)"


@dataclass(frozen=True)
class Measured:
    """What the checkpoint came to.

    Attributes:
        detections: with the ground truth.
        metrics: of them.
        class_names: the name of each class as it stands in `mAP_class_NAME`.
        score_threshold: for precision and recall.
    """

    detections: Detections
    metrics: Mapping[str, float]
    class_names: Mapping[int, str]
    score_threshold: float


@dataclass(frozen=True)
class ExportOptions:
    """How formats are made and judged.

    Attributes:
        representative: how many training images set int8's ranges.
        allowed: what a format may differ by.
    """

    representative: int
    allowed: Callable[[str], Allowed]


class Exporter:
    """Exports the model in hand, whose weights stay as they are meanwhile."""

    def __init__(
        self, built: BuiltModel, config: TrainEvalPipelineConfig, measured: Measured | None, options: ExportOptions
    ) -> None:
        """
        Args:
            measured: what to compare with; None not to.
        """
        self._built, self._config, self._measured, self._options = built, config, measured, options
        self._resize = model_resizer(config)
        self._serving: Serving | None = None

    def export(self, format: str, folder: Path) -> tuple[FormatRecord, list[InputRecord]]:
        """Make one format in `folder`; nothing is left of one that failed or cannot be.

        Returns:
            What became of it, and its inputs where there is a file.

        Raises:
            DataError: a training or validation record cannot be read.
        """
        _LOG.info("exporting %s", format)
        file, started = folder / FORMATS[format], time.perf_counter()
        try:
            self._write(format, file)
            seconds = round(time.perf_counter() - started, 2)
            loaded = self._load(format, file)
        except ConfigError as wrong:
            _remove(file)
            return FormatRecord(format, IMPOSSIBLE, reason=str(wrong)), []
        size = _size(file)
        if self._measured is None:
            made = FormatRecord(format, NOT_COMPARED, file.name, bytes=size, seconds=seconds)
        else:
            made = self._compared(format, file, loaded, self._measured, (size, seconds))
        if made.verdict == FAILED:
            _remove(file)
            return made, []
        return made, _inputs(format, file.name, loaded)

    def _write(self, format: str, file: Path) -> None:
        if format in (SAVED_MODEL, ONNX):
            self._serving = self._serving or serving_functions(self._built, self._config)
            if format == SAVED_MODEL:
                write_saved_model(self._serving, file)
            else:
                file.write_bytes(onnx_model(self._serving))
            return
        file.write_bytes(tflite_model(self._built, self._config, format, self._representative))

    def _representative(self) -> Iterator[NDArray[np.float32]]:
        for image in training_images(self._config, self._options.representative):
            yield self._resize(image[np.newaxis])[0]

    def _load(self, format: str, file: Path) -> ExportedModel:
        if format == SAVED_MODEL:
            return SavedModel(file)
        return OnnxModel(file) if format == ONNX else TFLiteModel(file, self._resize)

    def _compared(
        self, format: str, file: Path, loaded: ExportedModel, measured: Measured, made: tuple[int, float]
    ) -> FormatRecord:
        size, seconds = made
        found = measured.detections.with_other_results(self._found(loaded, measured.detections))
        metrics = all_metrics(found, measured.class_names, measured.score_threshold)
        why = too_much(measured.metrics, metrics, self._options.allowed(format))
        verdict = FAILED if why else GOOD
        values = (metrics.get(MAP, 0.0), measured.metrics[MAP])
        _LOG.info("%s: mAP %.4f, the checkpoint's %.4f: %s", format, *values, why or verdict)
        return FormatRecord(
            format,
            verdict,
            None if why else file.name,
            why or None,
            size,
            seconds,
            metrics,
            drops(measured.metrics, metrics),
        )

    def _found(self, loaded: ExportedModel, seen: Detections) -> Iterable[tuple[int, Mapping[str, Numbers]]]:
        """What the exported model finds in each image of the evaluation; boxes in pixels."""
        reader = self._config.eval_input_reader[0]
        for image, encoded in evaluated_images(reader, [each["id"] for each in seen.images]):
            pixels = decoded(encoded, f"eval_input_reader: image {image}")
            (found,) = loaded.detect(pixels[np.newaxis])
            boxes = found.boxes * np.tile(np.array(pixels.shape[:2], np.float32), 2)
            yield image, {"boxes": boxes, "classes": found.classes, "scores": found.scores}


def _inputs(format: str, file: str, loaded: ExportedModel) -> list[InputRecord]:
    images: tuple[int | None, ...] = (None, None, None, 3)
    if isinstance(loaded, TFLiteModel):
        shape = tuple(int(edge) for edge in loaded.input["shape"])
        dtype = np.dtype(loaded.input["dtype"]).name
        scale, zero_point = loaded.input["quantization"]
        quantized = (float(scale), int(zero_point)) if dtype == "uint8" else (None, None)
        return [InputRecord(format, file, IMAGES_SIGNATURE, TFLITE_INPUT, dtype, shape, _RESIZED, 0, *quantized)]
    signature = IMAGES_SIGNATURE if format == SAVED_MODEL else None
    found = [InputRecord(format, file, signature, IMAGES_INPUT, "uint8", images, _PIXELS, 1)]
    if format == SAVED_MODEL:
        found.append(InputRecord(format, file, BYTES_SIGNATURE, BYTES_INPUT, "string", (None,), _FILES, 1))
    return found


def _size(file: Path) -> int:
    return sum(each.stat().st_size for each in (file.rglob("*") if file.is_dir() else (file,)) if each.is_file())


def _remove(file: Path) -> None:
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
