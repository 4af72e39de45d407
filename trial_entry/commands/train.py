"""`train`: one trial, from assignments to metrics; goes on where an earlier run of it ended."""

from __future__ import annotations

import argparse
import logging
import resource
import secrets
from typing import Any

from trial_entry.arguments import command_line, surroundings_of
from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.detection.trial import TrialContext, run_trial
from trial_entry.errors import EXIT_MEASURED, Stopped, TrialError
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import ModelDir
from trial_entry.pipeline_config.inputs import localized
from trial_entry.pipeline_config.render import RenderedConfig, render
from trial_entry.records.dataset import Dataset, count_train_examples, inspect
from trial_entry.stopping import StopSignal

_LOG = logging.getLogger(__name__)
_SEEDS = 2**31


def train(arguments: argparse.Namespace, stream: MetricStream) -> int:
    """Train and evaluate as the arguments say; see `trial_entry.arguments`."""
    stop = StopSignal()
    surroundings = surroundings_of(arguments, count_train_examples)
    rendered = render(arguments.pipeline_config_path, arguments.assignments, surroundings)
    config = localized(rendered.config)
    dataset = inspect(config)
    folder = ModelDir(arguments.model_dir)
    folder.settle_config(rendered.text)
    trial = _trial_of(folder, arguments, rendered, dataset)
    target = arguments.num_train_steps or config.train_config.num_steps
    try:
        folder.write_trial(trial)  # within: a signal that comes just after it is a reason too
        _measure(TrialContext(arguments, config, dataset, folder, trial, stream, stop, target))
    except (TrialError, Stopped) as error:
        _end(folder, trial, str(error))
        raise
    except Exception as error:
        _end(folder, trial, f"a bug: {error!r}")
        raise
    _end(folder, trial, "measured")
    return EXIT_MEASURED


def _measure(context: TrialContext) -> None:
    """Print the metrics of earlier runs again, then train and evaluate what is left."""
    rows = context.folder.read_rows()
    for row in rows:
        context.stream.write(row.timestamp, row.metrics)
    if rows and (rows[-1].step >= context.target or rows[-1].metrics.get("diverged")):
        _LOG.info("finished before, at step %d; its metrics are printed again", rows[-1].step)
        return
    with out_of_memory_as_error():
        run_trial(context)


def _trial_of(
    folder: ModelDir, arguments: argparse.Namespace, rendered: RenderedConfig, dataset: Dataset
) -> dict[str, Any]:
    """What is known of the trial before it runs; a seed that was drawn once stays."""
    trial = folder.read_trial()
    seed = arguments.seed if arguments.seed is not None else trial.get("seed", secrets.randbelow(_SEEDS))
    trial.update(
        {
            "assignments": {assignment.name: assignment.value for assignment in arguments.assignments},
            "arguments": command_line(),
            "seed": seed,
            "deterministic": arguments.deterministic,
            "config_digest": rendered.digest,
            "data_digests": dataset.digests,
            "num_train_examples": dataset.num_train_examples,
            "started": [*trial.get("started", []), next_timestamp(None, 0)],
            "reason": "running",
        }
    )
    return trial


def _end(folder: ModelDir, trial: dict[str, Any], reason: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # from KiB
    trial.update({"ended": next_timestamp(None, 0), "reason": reason, "peak_memory_mib": round(peak)})
    folder.write_trial(trial)
