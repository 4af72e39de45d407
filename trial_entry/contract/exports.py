"""The contract's exports: their formats and files, what metadata.json tells who runs one, what export.json tells of it.

The folder that `export` writes:
    saved_model/           TensorFlow's SavedModel, two signatures
    model.tflite, model_fp16.tflite, model_int8.tflite
    model.onnx
    label_map.pbtxt        the classes, as the API writes them
    metadata.json          ExportMetadata: what goes into each file and what comes out
    export.json            ExportRecord: what each format was compared with, and what came of it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trial_entry.contract.files import EXPORT_FILE, METADATA_FILE
from trial_entry.contract.json_records import from_json, read_json
from trial_entry.errors import ModelDirError

SAVED_MODEL, ONNX = "saved_model", "onnx"
TFLITE, TFLITE_FP16, TFLITE_INT8 = "tflite", "tflite_fp16", "tflite_int8"
FORMATS: Mapping[str, str] = {  # format: its file or folder
    SAVED_MODEL: "saved_model",
    TFLITE: "model.tflite",
    TFLITE_FP16: "model_fp16.tflite",
    TFLITE_INT8: "model_int8.tflite",
    ONNX: "model.onnx",
}
TFLITE_FORMATS = (TFLITE, TFLITE_FP16, TFLITE_INT8)
# Signatures of the SavedModel; the first is the one that TensorFlow Serving takes where none is named.
IMAGES_SIGNATURE, BYTES_SIGNATURE = "serving_default", "serving_bytes"
# Inputs; TensorFlow Serving decodes {"b64": …} for one whose name ends in `_bytes`, and for no other.
IMAGES_INPUT, BYTES_INPUT, TFLITE_INPUT = "input_tensor", "image_bytes", "image"
GOOD, FAILED, IMPOSSIBLE, NOT_COMPARED = "good", "failed", "impossible", "not compared"


@dataclass(frozen=True)
class FormatRecord:
    """What became of one format.

    Attributes:
        format: its name in FORMATS.
        verdict: GOOD (as the checkpoint, within what is allowed), FAILED, IMPOSSIBLE or NOT_COMPARED.
        file: its file or folder, relative; None where there is none.
        reason: why it failed or is impossible, in one line.
        bytes: of its files.
        seconds: that making it took.
        metrics: of the exported file, on the images that the checkpoint's are of.
        drops: what it loses of the checkpoint's mAP, over all and by class; negative where it gains.
    """

    format: str
    verdict: str
    file: str | None = None
    reason: str | None = None
    bytes: int | None = None
    seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    drops: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ExportRecord:
    """export.json.

    Attributes:
        checkpoint: its prefix.
        checkpoint_digest: SHA-256 of its index, which has a checksum of every weight.
        step: training steps of the checkpoint.
        config_digest: SHA-256 of the config without its input paths.
        exported: when, RFC 3339.
        images: validation images that were compared; 0 where nothing was.
        metrics: of the checkpoint on them.
        moving_averages: whether the weights are the training's moving averages, as the config measures them.
        formats: what became of each.
        versions: by package.
    """

    checkpoint: str
    step: int
    config_digest: str
    exported: str
    images: int
    metrics: Mapping[str, float]
    moving_averages: bool
    formats: tuple[FormatRecord, ...]
    versions: Mapping[str, str]
    checkpoint_digest: str = ""


@dataclass(frozen=True)
class InputRecord:
    """One input of an exported file.

    Attributes:
        format: of the file, as in FORMATS.
        file: itself, relative.
        signature: the SavedModel's or TFLite's; None where the format has none.
        name: of the input.
        dtype: uint8, float32 or string.
        shape: of the input; null stands for any size.
        contents: what it must hold, in words.
        scale, zero_point: of a quantized input, whose real value is scale * (number - zero_point).
        first_class: the number that the first class of the label map has in `detection_classes`.
    """

    format: str
    file: str
    signature: str | None
    name: str
    dtype: str
    shape: tuple[int | None, ...]
    contents: str
    first_class: int
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class TilingRecord:
    """How large images were cut for training, in pixels.

    Attributes:
        width, height: of a tile.
        overlap: of neighbours.
    """

    width: int
    height: int
    overlap: int


@dataclass(frozen=True)
class ResizerRecord:
    """How images become what the model sees.

    Attributes:
        kind: the config's resizer.
        height, width: that every image is resized to; of a resizer that keeps the aspect ratio the least and the
            greatest edge.
        pads: whether the resized image is padded to a square below and to the right.
    """

    kind: str
    height: int
    width: int
    pads: bool = False


@dataclass(frozen=True)
class ExportMetadata:
    """metadata.json: what who runs an exported file needs to know.

    Attributes:
        architecture: the config's model (ssd, faster_rcnn, center_net).
        feature_extractor: its type.
        labels: the class's name by its number in the label map.
        resizer: of images; SavedModel and ONNX do it themselves, TFLite's input is resized already.
        score_threshold: from which score on a detection is worth showing.
        max_detections: how many an image has at most.
        boxes: what the four numbers of a box are.
        inputs: of every file.
        tiling: of large images; None where the training data were not tiled.
        versions: by package.
    """

    architecture: str
    feature_extractor: str
    labels: Mapping[str, str]
    resizer: ResizerRecord
    score_threshold: float
    max_detections: int
    boxes: str
    inputs: tuple[InputRecord, ...]
    versions: Mapping[str, str]
    tiling: TilingRecord | None = None


def read_export(folder: Path) -> ExportRecord:
    """export.json of a folder that `export` wrote.

    Raises:
        ModelDirError: it is missing, or no such record.
    """
    return from_json(ExportRecord, _value(folder / EXPORT_FILE), str(folder / EXPORT_FILE))


def read_metadata(folder: Path) -> ExportMetadata:
    """metadata.json of a folder that `export` wrote.

    Raises:
        ModelDirError: it is missing, or no such record.
    """
    return from_json(ExportMetadata, _value(folder / METADATA_FILE), str(folder / METADATA_FILE))


def _value(file: Path) -> object:
    value = read_json(file)
    if value is None:
        raise ModelDirError(f"{file}: no such file; give a folder that boxtune export wrote")
    return value
