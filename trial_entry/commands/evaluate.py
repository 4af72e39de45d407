"""`evaluate`: the metrics of one checkpoint, without training."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.detection.checkpoints import latest, restore_for_evaluation
from trial_entry.detection.details import write_details
from trial_entry.detection.evaluation import Evaluator
from trial_entry.detection.model import build_model
from trial_entry.detection.runtime import autograph, start_runtime
from trial_entry.errors import EXIT_MEASURED, ConfigError
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import MetricRow, write_atomically
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.inputs import localized
from trial_entry.pipeline_config.render import render
from trial_entry.records.dataset import inspect

EVALUATION_FILE = "evaluation.json"


def evaluate(arguments: argparse.Namespace, stream: MetricStream) -> int:
    """Evaluate as the arguments say; see `trial_entry.arguments`."""
    config = localized(render(arguments.pipeline_config_path, [], Surroundings()).config)
    dataset = inspect(config)
    with out_of_memory_as_error():
        strategy = start_runtime(seed=0, deterministic=False)
        prefix = arguments.checkpoint or latest(arguments.model_dir)
        if prefix is None:
            raise ConfigError(f"{arguments.model_dir}: no checkpoint here (no file named checkpoint names one)")
        if not Path(f"{prefix}.index").is_file():
            raise ConfigError(f"{prefix}: no checkpoint has this prefix; its files are PREFIX.index and PREFIX.data-…")
        with autograph(False):
            built = build_model(config, strategy, optimizer=config.eval_config.use_moving_averages)  # has the averages
            restore_for_evaluation(built, prefix)
        evaluator = Evaluator(built, config, dataset.label_map, arguments.score_threshold)
        metrics = evaluator.evaluate()
        row = MetricRow(int(built.global_step.numpy()), next_timestamp(None, 0), metrics)
        if arguments.details is not None:
            threshold, pictures = arguments.score_threshold, arguments.pictures
            write_details(evaluator, dataset.label_map, arguments.details, threshold, pictures)
    output = arguments.output or arguments.model_dir / EVALUATION_FILE
    try:
        write_atomically(output, json.dumps({"checkpoint": prefix, **asdict(row)}, indent=1) + "\n")
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror}; name another file with --output") from None
    stream.write(row.timestamp, row.metrics)
    return EXIT_MEASURED
