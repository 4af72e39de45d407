"""The command `export`: a checkpoint in other formats, each loaded again and compared with it."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trial_entry.commands.export_plan import ExportPlan, plan_export
from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.export_requests import ExportRequest
from trial_entry.contract.exports import (
    FAILED,
    FORMATS,
    GOOD,
    IMPOSSIBLE,
    NOT_COMPARED,
    TFLITE_INT8,
    ExportMetadata,
    ExportRecord,
    FormatRecord,
    InputRecord,
)
from trial_entry.contract.files import BEST_FOLDER, EXPORT_FILE, LABEL_MAP_FILE, METADATA_FILE
from trial_entry.contract.json_records import to_json
from trial_entry.detection.averages import measured_weights
from trial_entry.detection.checkpoints import existing_checkpoint, restore_for_evaluation
from trial_entry.detection.evaluation import Evaluator
from trial_entry.detection.exporting import Exporter, ExportOptions, Measured
from trial_entry.detection.model import build_model
from trial_entry.detection.runtime import autograph, describe_runtime, one_replica, start_runtime
from trial_entry.errors import RequestError
from trial_entry.measuring.export_loss import Allowed
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import write_json
from trial_entry.pipeline_config.exportable import extractor_type, max_detections, resizer_of
from trial_entry.whole_folder import whole_folder

if TYPE_CHECKING:
    from trial_entry.detection.model import BuiltModel

_BOXES = "ymin, xmin, ymax, xmax as shares of the image's height and width"


def export(request: ExportRequest, stream: MetricStream) -> int:
    """Export as the request says; returns the exit code.

    Raises:
        TrialError: the request is wrong, memory ran out, or an exported file is not as good as its checkpoint.
    """
    plan = plan_export(request)
    with whole_folder(request.output, EXPORT_FILE, "--output") as (folder, publish):
        with out_of_memory_as_error():
            record, metadata = _make(request, plan, folder)
        if any(each.verdict in (GOOD, NOT_COMPARED) for each in record.formats):
            shutil.copyfile(plan.label_map, folder / LABEL_MAP_FILE)
            write_json(folder / METADATA_FILE, to_json(metadata))
            write_json(folder / EXPORT_FILE, to_json(record))
            publish()
    if record.metrics:
        stream.write(record.exported, record.metrics)
    failed = [each for each in record.formats if each.verdict == FAILED or _asked_in_vain(each, request)]
    if failed:
        raise RequestError(_failure(failed, request))
    return EXIT_MEASURED


def _make(request: ExportRequest, plan: ExportPlan, folder: Path) -> tuple[ExportRecord, ExportMetadata]:
    """Every format in `folder`, and what there is to say of them."""
    config = plan.config
    start_runtime(seed=0, deterministic=False)
    prefix = existing_checkpoint(request.checkpoint, request.model_dir / BEST_FOLDER, request.model_dir)
    with autograph(False):
        built = build_model(config, one_replica(), optimizer=config.eval_config.use_moving_averages)
        restore_for_evaluation(built, prefix)
    measured = None if request.no_compare else _measured(request, plan, built)
    formats, inputs = list(plan.impossible), list[InputRecord]()
    with measured_weights(built, config):
        options = ExportOptions(request.representative, lambda format: _allowed(request, format))
        exporter = Exporter(built, config, measured, options)
        for format in plan.formats:
            made, its_inputs = exporter.export(format, folder)
            formats.append(made)
            inputs += its_inputs
    versions = describe_runtime().versions
    record = ExportRecord(
        checkpoint=prefix,
        step=int(built.global_step.numpy()),
        config_digest=plan.digest,
        exported=next_timestamp(None, 0),
        images=len(measured.detections.images) if measured else 0,
        metrics=measured.metrics if measured else {},
        moving_averages=bool(config.eval_config.use_moving_averages),
        formats=tuple(sorted(formats, key=lambda each: list(FORMATS).index(each.format))),
        versions=versions,
        checkpoint_digest=hashlib.sha256(Path(f"{prefix}.index").read_bytes()).hexdigest(),
    )
    return record, _metadata(request, plan, inputs, versions)


def _measured(request: ExportRequest, plan: ExportPlan, built: BuiltModel) -> Measured:
    """The checkpoint, evaluated as ever."""
    evaluator = Evaluator(built, plan.config, plan.labels, request.score_threshold, images=request.compare)
    metrics = evaluator.evaluate()
    assert evaluator.detections is not None
    return Measured(evaluator.detections, metrics, plan.labels.metric_names(), request.score_threshold)


def _allowed(request: ExportRequest, format: str) -> Allowed:
    if format == TFLITE_INT8:
        return Allowed(request.int8_loss, math.inf, request.lost_classes)
    return Allowed(request.loss, request.loss, request.lost_classes)


def _metadata(
    request: ExportRequest, plan: ExportPlan, inputs: Sequence[InputRecord], versions: Mapping[str, str]
) -> ExportMetadata:
    return ExportMetadata(
        architecture=str(plan.config.model.WhichOneof("model")),
        feature_extractor=extractor_type(plan.config),
        labels={str(number): label for number, label in plan.labels.labels.items()},
        resizer=resizer_of(plan.config),
        score_threshold=request.score_threshold,
        max_detections=max_detections(plan.config),
        boxes=_BOXES,
        inputs=tuple(inputs),
        versions=versions,
        tiling=request.tiling,
    )


def _asked_in_vain(record: FormatRecord, request: ExportRequest) -> bool:
    return record.verdict == IMPOSSIBLE and record.format in request.formats


def _failure(failed: Sequence[FormatRecord], request: ExportRequest) -> str:
    """The first that failed, by how much, and what to do."""
    first, others = failed[0], ", ".join(each.format for each in failed[1:])
    more = f" (nor {others})" if others else ""
    if first.verdict == IMPOSSIBLE:
        todo = "leave it out of --format"
    elif first.format == TFLITE_INT8:
        todo = "more images that represent (--representative) may help; --int8_loss and --lost_classes allow it"
    else:
        todo = "--loss allows it"
    return f"{first.format} is not in {request.output}{more}: {first.reason}; {todo}"
