"""What `export` makes, decided before TensorFlow is loaded: formats, reasons against others, files that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trial_entry.contract.export_requests import ExportRequest
from trial_entry.contract.exports import FORMATS, IMPOSSIBLE, ONNX, TFLITE_INT8, FormatRecord
from trial_entry.contract.files import LABEL_MAP_FILE
from trial_entry.detection.onnx import why_no_onnx
from trial_entry.errors import ConfigError, RequestError
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.classes import num_classes
from trial_entry.pipeline_config.existing import absolute_path
from trial_entry.pipeline_config.exportable import why_not
from trial_entry.pipeline_config.inputs import localized, resolve_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import evaluation_labels
from trial_entry.records.label_map import LabelMap, read_label_map
from trial_entry.storage.paths import is_file
from trial_entry.storage.urls import Remote


@dataclass(frozen=True)
class ExportPlan:
    """What is to be made.

    Attributes:
        config: with files of this machine, and no others than an export reads.
        digest: of the config without its input paths.
        labels: of its classes.
        label_map: the file that they are in.
        formats: in the order of FORMATS.
        impossible: what cannot be made, and why.
    """

    config: TrainEvalPipelineConfig
    digest: str
    labels: LabelMap
    label_map: Path
    formats: Sequence[str]
    impossible: Sequence[FormatRecord]


def plan_export(request: ExportRequest) -> ExportPlan:
    """Everything that can be said of the request without its checkpoint.

    Raises:
        RequestError: what was asked for by name cannot be made, or what it needs is not here.
    """
    base = BaseConfig.read(request.pipeline_config_path)
    config = base.render([], resolve=False).config
    config.train_config.use_bfloat16 = False  # a precision of training: files are for machines of any kind
    config.train_config.ClearField("fine_tune_checkpoint")  # it need not be here
    wanted = [format for format in FORMATS if format in (request.formats or FORMATS)]
    reasons = {format: why_not(config, format) or (why_no_onnx() if format == ONNX else "") for format in wanted}
    if TFLITE_INT8 in wanted and TFLITE_INT8 not in request.formats and not reasons[TFLITE_INT8]:
        reasons[TFLITE_INT8] = _why_no_training(config, base.folder)
    refused = next((format for format in request.formats if reasons[format]), None)
    if refused is not None:
        raise ConfigError(f"{request.pipeline_config_path}: {refused}: {reasons[refused]}")
    formats = [format for format in wanted if not reasons[format]]
    config = _here(config, base.folder, training=TFLITE_INT8 in formats, evaluation=not request.no_compare)
    label_map = Path(config.eval_input_reader[0].label_map_path)
    labels = read_label_map(label_map, num_classes(config)) if request.no_compare else evaluation_labels(config)
    impossible = [FormatRecord(format, IMPOSSIBLE, reason=reasons[format]) for format in wanted if reasons[format]]
    return ExportPlan(config, base.digest, labels, label_map, formats, impossible)


def _why_no_training(config: TrainEvalPipelineConfig, folder: Path | Remote) -> str:
    """Why there are no training records to set int8's ranges by; empty where there are."""
    try:
        _here(config, folder, training=True, evaluation=False)
    except RequestError as wrong:
        return f"its ranges are set by training images, and there are none here: {wrong}"
    return ""


def _here(
    config: TrainEvalPipelineConfig, folder: Path | Remote, training: bool, evaluation: bool
) -> TrainEvalPipelineConfig:
    """A copy whose files are of this machine, with the records that are asked for; without `evaluation` still its label
    map, which may also lie beside the config, as in a folder that was published.

    Raises:
        RequestError: one of them is not here.
    """
    copy = TrainEvalPipelineConfig()
    copy.CopyFrom(config)
    if not training:
        copy.ClearField("train_input_reader")
    reader = copy.eval_input_reader[0]
    if not evaluation:
        reader.ClearField("tf_record_input_reader")
    beside = str(folder / LABEL_MAP_FILE)
    if not is_file(absolute_path(reader.label_map_path, folder)) and is_file(beside):
        reader.label_map_path = beside
    try:
        resolve_paths(copy, folder)
        return localized(copy)
    except RequestError as wrong:
        if not evaluation:
            raise
        raise type(wrong)(f"{wrong}; --no_compare exports without validation records") from None
