"""The command `train`: one trial, from assignments to metrics; it goes on where an earlier run of it ended."""

from __future__ import annotations

import logging
import resource
import secrets
import shlex
from dataclasses import replace

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.metrics import PRINTED, class_metric, nearest_metric
from trial_entry.contract.records import TrialRecord
from trial_entry.contract.requests import TrainRequest
from trial_entry.detection.trial import TrialContext, run_trial
from trial_entry.errors import ModelDirError, RequestError, Stopped, TrialError
from trial_entry.kept_checkpoints import last_step
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import ModelDir, open_model_dir
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.checks import findings
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.inputs import localized
from trial_entry.pipeline_config.render import RenderedConfig
from trial_entry.records.dataset import Dataset, count_train_examples, inspect
from trial_entry.rungs import Answer, answer
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
    for each in findings(rendered.config):  # the errors among them were refused
        _LOG.log(logging.INFO if each.severity == "note" else logging.WARNING, "%s", each)
    config = localized(rendered.config)
    dataset = inspect(config)
    _look_at_objective(request, dataset)
    target = request.num_train_steps or config.train_config.num_steps
    place = request.place(rendered.digest)
    if request.model_root is not None:
        _LOG.info("MODEL_DIR is %s", place)
    with open_model_dir(place) as folder:
        _settle(folder, request, rendered, dataset)
        found = answer(folder.read_rows(), last_step(folder.path) or 0, target, folder.place)
        for row in found.rows:
            stream.write(row.timestamp, row.metrics)
        if found.is_whole:
            _close(folder, found)
            return EXIT_MEASURED
        folder.record = _begun(folder, request, rendered, dataset)
        try:
            folder.write_record()  # within: a signal that comes just after it is a reason too
            with out_of_memory_as_error():
                run_trial(TrialContext(request, config, dataset, folder, stream, stop, target))
        except (TrialError, Stopped) as error:
            _end_badly(folder, str(error))
            raise
        except Exception as error:
            _end_badly(folder, f"a bug: {error!r}")
            raise
        _end(folder, _MEASURED)
    return EXIT_MEASURED


def _look_at_objective(request: TrainRequest, dataset: Dataset) -> None:
    """Raises RequestError where it is the mAP of a class that the label map has not."""
    known = [*PRINTED, *map(class_metric, dataset.label_map.metric_names().values())]
    name = request.objective_metric
    if name not in known:
        raise RequestError(f"--objective_metric={name}: no class of the label map is it; {nearest_metric(name, known)}")


def _settle(folder: ModelDir, request: TrainRequest, rendered: RenderedConfig, dataset: Dataset) -> None:
    """See that what has run in the folder is this very training.

    Below a --model_root many trials find their folder by the config alone. So the same data may lie elsewhere than
    before, as in another pod, but other data in their place are another training's.

    Raises:
        ModelDirError: another config has run there, or below a --model_root other data.
    """
    before = folder.record
    if request.model_root is None or not before.data_digests:
        folder.settle_config(rendered.text)
        return
    other = sorted(name for name, digest in dataset.digests.items() if before.data_digests.get(name) != digest)
    if other:
        raise ModelDirError(
            f"{folder.place}: was trained with other data ({', '.join(other)}: not the same digest); give another "
            "--model_root for these"
        )
    folder.settle_config(rendered.text, has_moved=before.config_digest == rendered.digest)


def _close(folder: ModelDir, found: Answer) -> None:
    """The answer was there before; what is recorded of earlier runs stays, whatever the data are by now."""
    rows, step = folder.read_rows(), found.rows[-1].step
    if found.instead:
        _LOG.warning("%s", found.instead)
    beyond = max([folder.record.steps, *(row.step for row in rows)])
    since = f" (the training has gone on to step {beyond} since)" if beyond > step and not found.instead else ""
    _LOG.info("finished before, at step %d%s; its metrics are printed again", step, since)
    if folder.record.reason != _MEASURED and beyond == step:  # it was killed between its last evaluation and its end
        _end(folder, _MEASURED)


def _begun(folder: ModelDir, request: TrainRequest, rendered: RenderedConfig, dataset: Dataset) -> TrialRecord:
    """What is known of the trial before it runs; a seed that was drawn once stays."""
    before = folder.record
    if before.steps and before.data_digests not in ({}, dataset.digests):
        _LOG.warning("the records are not those of the first %d steps: their digests differ", before.steps)
    drawn = before.seed if before.seed is not None else _drawn_seed(request)
    return replace(
        before,
        assignments={each.name: each.value for each in request.assignments},
        arguments=shlex.join(request.argv()),
        model_dir=folder.place,
        seed=request.seed if request.seed is not None else drawn,
        deterministic=request.deterministic,
        config_digest=rendered.digest,
        data_digests=dataset.digests,
        num_train_examples=dataset.num_train_examples,
        started=(*before.started, next_timestamp(None, 0)),
        reason="running",
    )


def _drawn_seed(request: TrainRequest) -> int:
    """Below a --model_root the seed is in the folder's name, for whoever asks for the same config again."""
    return 0 if request.model_root is not None else secrets.randbelow(_SEEDS)


def _end_badly(folder: ModelDir, reason: str) -> None:
    """`_end`, where what has ended the trial says more than that this cannot be written either."""
    try:
        _end(folder, reason)
    except TrialError as problem:
        _LOG.warning("%s", problem)


def _end(folder: ModelDir, reason: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # from KiB
    folder.record = replace(folder.record, ended=next_timestamp(None, 0), reason=reason, peak_memory_mib=round(peak))
    folder.write_record()
