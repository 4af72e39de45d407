"""The command `train`: one trial, from assignments to metrics; it goes on where an earlier run of it ended."""

from __future__ import annotations

import logging
import resource
import secrets
import shlex
from dataclasses import replace

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.metrics import DIVERGED, PRINTED, class_metric, nearest_metric
from trial_entry.contract.records import TrialRecord
from trial_entry.contract.requests import TrainRequest
from trial_entry.detection.trial import TrialContext, run_trial
from trial_entry.errors import RequestError, Stopped, TrialError
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import ModelDir, open_model_dir
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.inputs import localized
from trial_entry.pipeline_config.render import RenderedConfig
from trial_entry.records.dataset import Dataset, count_train_examples, inspect
from trial_entry.stopping import StopSignal
from trial_entry.storage.paths import local_folders

_LOG = logging.getLogger(__name__)
_SEEDS = 2**31
_MEASURED = "measured"  # why a trial ended when all is well


def train(request: TrainRequest, stream: MetricStream) -> int:
    """Train and evaluate as the request says; returns the exit code.

    Raises:
        TrialError: the request is wrong, or memory ran out.
        Stopped: SIGTERM arrived; what was done is saved.
    """
    stop = StopSignal()
    base = BaseConfig.read(request.pipeline_config_path)
    base = base.given(Fragments(local_folders(request.fragments)), request.checkpoints, count_train_examples)
    rendered = base.render(request.assignments)
    config = localized(rendered.config)
    dataset = inspect(config)
    _look_at_objective(request, dataset)
    target = request.num_train_steps or config.train_config.num_steps
    with open_model_dir(request.model_dir) as folder:
        folder.settle_config(rendered.text)
        if _is_finished(folder, target):
            _print_again(folder, stream)
            return EXIT_MEASURED
        folder.record = _begun(folder.record, request, rendered, dataset)
        try:
            folder.write_record()  # within: a signal that comes just after it is a reason too
            _measure(TrialContext(request, config, dataset, folder, stream, stop, target))
        except (TrialError, Stopped) as error:
            _end(folder, str(error))
            raise
        except Exception as error:
            _end(folder, f"a bug: {error!r}")
            raise
        _end(folder, _MEASURED)
    return EXIT_MEASURED


def _look_at_objective(request: TrainRequest, dataset: Dataset) -> None:
    """Raises RequestError where it is the mAP of a class that the label map has not."""
    known = [*PRINTED, *map(class_metric, dataset.label_map.metric_names().values())]
    name = request.objective_metric
    if name not in known:
        raise RequestError(f"--objective_metric={name}: no class of the label map is it; {nearest_metric(name, known)}")


def _is_finished(folder: ModelDir, target: int) -> bool:
    """Whether an earlier run has done all of it."""
    rows = folder.read_rows()
    return bool(rows) and (rows[-1].step >= target or bool(rows[-1].metrics.get(DIVERGED)))


def _print_again(folder: ModelDir, stream: MetricStream) -> None:
    """The metrics of earlier runs; what is recorded of these stays, whatever the data are by now."""
    rows = folder.read_rows()
    for row in rows:
        stream.write(row.timestamp, row.metrics)
    _LOG.info("finished before, at step %d; its metrics are printed again", rows[-1].step)
    if folder.record.reason != _MEASURED:  # it was killed between its last evaluation and its end
        _end(folder, _MEASURED)


def _measure(context: TrialContext) -> None:
    """Print the metrics of earlier runs again, then train and evaluate what is left."""
    for row in context.folder.read_rows():
        context.stream.write(row.timestamp, row.metrics)
    with out_of_memory_as_error():
        run_trial(context)


def _begun(before: TrialRecord, request: TrainRequest, rendered: RenderedConfig, dataset: Dataset) -> TrialRecord:
    """What is known of the trial before it runs; a seed that was drawn once stays."""
    if before.steps and before.data_digests not in ({}, dataset.digests):
        _LOG.warning("the records are not those of the first %d steps: their digests differ", before.steps)
    drawn = before.seed if before.seed is not None else secrets.randbelow(_SEEDS)
    return replace(
        before,
        assignments={each.name: each.value for each in request.assignments},
        arguments=shlex.join(request.argv()),
        seed=request.seed if request.seed is not None else drawn,
        deterministic=request.deterministic,
        config_digest=rendered.digest,
        data_digests=dataset.digests,
        num_train_examples=dataset.num_train_examples,
        started=(*before.started, next_timestamp(None, 0)),
        reason="running",
    )


def _end(folder: ModelDir, reason: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # from KiB
    folder.record = replace(folder.record, ended=next_timestamp(None, 0), reason=reason, peak_memory_mib=round(peak))
    folder.write_record()
