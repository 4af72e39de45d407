"""The command `evaluate`: the metrics of one checkpoint, without training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.files import EVALUATION_FILE
from trial_entry.contract.json_records import to_json
from trial_entry.contract.records import EvaluationRecord
from trial_entry.contract.requests import EvaluateRequest
from trial_entry.detection.checkpoints import existing_checkpoint, restore_for_evaluation
from trial_entry.detection.details import write_details
from trial_entry.detection.evaluation import Evaluator, image_ids
from trial_entry.detection.model import build_model
from trial_entry.detection.runtime import autograph, start_runtime
from trial_entry.errors import ConfigError
from trial_entry.measuring.detections_file import NamedDetections
from trial_entry.measuring.raw_detections import RawCollector
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import write_json
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.inputs import local_record_files, localized
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import evaluation_labels
from trial_entry.records.image_names import image_names
from trial_entry.storage.paths import local_checkpoint
from trial_entry.storage.urls import Remote


def evaluate(request: EvaluateRequest, stream: MetricStream) -> int:
    """Evaluate as the request says; returns the exit code.

    Raises:
        TrialError: the request is wrong, or memory ran out.
    """
    config = localized(BaseConfig.read(request.pipeline_config_path).measured(request.reader))
    if request.raw_detections is not None and config.model.WhichOneof("model") == "center_net":
        raise ConfigError("--raw_detections: a CenterNet finds peaks and suppresses no boxes; leave it out")
    labels = evaluation_labels(config)
    with out_of_memory_as_error():
        strategy = start_runtime(seed=0, deterministic=False)
        prefix = existing_checkpoint(request.checkpoint, request.model_dir)
        with autograph(False):
            built = build_model(config, strategy, optimizer=config.eval_config.use_moving_averages)  # has the averages
            restore_for_evaluation(built, local_checkpoint(prefix))
        raw = None if request.raw_detections is None else RawCollector()
        evaluator = Evaluator(built, config, labels, request.score_threshold, raw)
        metrics = evaluator.evaluate()
        found = EvaluationRecord(prefix, int(built.global_step.numpy()), next_timestamp(None, 0), metrics)
        names = _names(config) if request.details or request.detections else {}
        if request.details is not None:
            write_details(evaluator, labels, names, request.details, request.score_threshold, request.pictures)
    if request.detections is not None and evaluator.detections is not None:
        with _writing(request.detections, "--detections"):
            NamedDetections(evaluator.detections, names, labels.metric_names()).write(request.detections)
    output = request.output or request.model_dir / EVALUATION_FILE
    with _writing(output, "--output"):
        write_json(output, to_json(found))
    if request.raw_detections is not None and raw is not None:
        with _writing(request.raw_detections, "--raw_detections"):
            raw.collected(labels.labels, labels.metric_names()).write(request.raw_detections)
    stream.write(found.timestamp, found.metrics)
    return EXIT_MEASURED


def _names(config: TrainEvalPipelineConfig) -> dict[int, str]:
    """The file of each image that is evaluated, by the id that the API gives it."""
    [reader] = config.eval_input_reader
    named = [(source, name) for source, name in image_names(local_record_files(reader)) if source and name]
    ids = image_ids([source for source, _ in named])
    return {number: name for number, (_, name) in zip(reversed(ids), reversed(named), strict=True)}  # the first counts


@contextmanager
def _writing(file: Path | Remote, flag: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}; name another file with {flag}") from None
