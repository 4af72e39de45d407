"""One trial in this process: restore, train, evaluate, save, and say what was measured."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trial_entry.contract.metrics import DIVERGED, STEPS_PER_SECOND
from trial_entry.contract.records import MetricRow
from trial_entry.contract.requests import TrainRequest
from trial_entry.detection.checkpoints import Checkpoints
from trial_entry.detection.evaluation import TRAINING_LOSS, Evaluator
from trial_entry.detection.events import Events
from trial_entry.detection.going_on import Start, find_start
from trial_entry.detection.model import BuiltModel, build_model, load_fine_tune_checkpoint
from trial_entry.detection.runtime import autograph, describe_runtime, preload, start_runtime
from trial_entry.detection.training import StepResult, Trainer, weights_are_finite
from trial_entry.divergence import DivergenceMonitor
from trial_entry.errors import Stopped
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import ModelDir
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import Dataset
from trial_entry.stopping import StopSignal

_LOG = logging.getLogger(__name__)
_EVENTS_EVERY = 100  # steps, as the stock loop writes
_LOG_SECONDS = 10.0


@dataclass(frozen=True)
class TrialContext:
    """What a trial was asked for, and where it speaks.

    Attributes:
        request: itself.
        config: the rendered config.
        dataset: what it reads.
        folder: its MODEL_DIR; versions, devices and progress are added to its record.
        stream: takes the metric lines.
        stop: SIGTERM.
        target: the step to train to.
    """

    request: TrainRequest
    config: TrainEvalPipelineConfig
    dataset: Dataset
    folder: ModelDir
    stream: MetricStream
    stop: StopSignal
    target: int


def run_trial(context: TrialContext) -> None:
    """Train to the target step from wherever the folder stands, evaluating on the way.

    Raises:
        RequestError: config, checkpoint or data turn out wrong.
        Stopped: SIGTERM arrived; the state is saved.
    """
    _LOG.info("loading TensorFlow and building the model")
    config, folder = context.config, context.folder
    preload()
    start = find_start(folder.path, _reached(folder))
    strategy = start_runtime(_seed(context, start), context.request.deterministic)
    found = describe_runtime()
    folder.record = replace(folder.record, versions=found.versions, devices=found.devices, threads=found.threads)
    with autograph(False):
        built = build_model(config, strategy)
        checkpoints = Checkpoints(built, folder.path)
        if start.step is not None:
            checkpoints.restore_last()
        elif config.train_config.fine_tune_checkpoint:
            load_fine_tune_checkpoint(built, config)
    if start.is_lost:  # the watch over the loss was at the lost one too
        folder.record = replace(folder.record, steps=start.step or 0, divergence=None)
    with Events(folder.path, folder.record.assignments) as events:
        context.stop.defer()
        run = _Run(context, built, checkpoints, events)
        if start.step is None:
            run.save()
        run.go(start.step or 0)


def _reached(folder: ModelDir) -> int:
    """The last step that the records of `folder` speak of."""
    return max([folder.record.steps, *(row.step for row in folder.read_rows())])


def _seed(context: TrialContext, start: Start) -> int:
    """A deterministic training passes over what its input has given before; another one takes new random numbers, so
    that it does not see the same images in the same order again.
    """
    seed = context.folder.record.seed or 0
    return seed if context.request.deterministic else seed + (start.step or 0)


class _Run:
    """The state of a running trial between its steps."""

    def __init__(self, context: TrialContext, built: BuiltModel, checkpoints: Checkpoints, events: Events) -> None:
        request = context.request
        self._context = context
        self._built = built
        self._checkpoints = checkpoints
        self._events = events
        self._trainer = Trainer(built, context.config)
        self._evaluator = Evaluator(built, context.config, context.dataset.label_map, request.score_threshold)
        self._rows = context.folder.read_rows()
        self._again: set[int] = set()  # steps that were measured with weights that are lost
        self._saved = -1
        self._logged = 0.0
        self._diverged: str | None = None
        self._monitor = DivergenceMonitor(request.divergence_factor, request.divergence_steps)
        if context.folder.record.divergence is not None:
            self._monitor.resume(context.folder.record.divergence)

    def go(self, step: int) -> None:
        """Train from `step` to the target; an evaluation that is due at `step` and was not made comes first."""
        self._again = {row.step for row in self._rows if row.step > step}
        _LOG.info("%s step %d, to %d", "going on from" if step else "training from", step, self._context.target)
        self._saved, traced = step, False
        try:
            while True:
                if self._due(step, self._context.request.eval_every_n) and not self._measured(step):
                    self._measure(step)
                if step >= self._context.target:
                    return
                if not traced:
                    with self._context.stop.at_once():
                        self._trainer.trace(step if self._context.request.deterministic else 0)
                    self._evaluator.prepare()
                    traced = True
                until = self._next(step)
                self._trainer.run(until, self._after_steps)
                if self._diverged is None:
                    self.save()  # looks at the weights too
                if self._diverged is not None:
                    self._end_diverged()
                    return
                step = until
        except Stopped:
            self.save()
            raise

    def save(self) -> None:
        """Checkpoint the current step, unless it is the one saved last or its weights are not finite."""
        step = int(self._built.global_step.numpy())
        if step == self._saved:
            return
        if not weights_are_finite(self._built):
            self._diverged = self._diverged or "a weight is not finite"
            return
        self._checkpoints.save()
        self._saved = step
        folder = self._context.folder
        folder.record = replace(folder.record, steps=step, divergence=self._monitor.state())
        folder.write_record()

    def _due(self, step: int, every: int) -> bool:
        return step >= self._context.target or step in self._again or bool(every and step and step % every == 0)

    def _measured(self, step: int) -> bool:
        return step not in self._again and any(row.step == step for row in self._rows)

    def _next(self, step: int) -> int:
        """The next step at which something is to be saved or measured."""
        periods = [self._context.request.checkpoint_every_n, self._context.request.eval_every_n]
        regular = ((step // period + 1) * period for period in periods if period)
        return min([self._context.target, *regular, *(each for each in self._again if each > step)])

    def _after_steps(self, results: Sequence[StepResult]) -> bool:
        for result in results:
            self._diverged = self._monitor.observe(result.losses[TRAINING_LOSS])
            if self._diverged is not None:
                return False
            if result.step % _EVENTS_EVERY == 0 or result.step == self._context.target:
                self._write_events(result)
        last = results[-1]
        if last.step == self._context.target or time.monotonic() - self._logged > _LOG_SECONDS:
            self._logged = time.monotonic()
            rate = self._trainer.steps_per_second
            shown = f", {rate:.3g} steps a second" if rate is not None else ""
            _LOG.info("step %d of %d, loss %.4g%s", last.step, self._context.target, last.losses[TRAINING_LOSS], shown)
        self._context.stop.check()
        self._context.folder.check()
        return True

    def _write_events(self, result: StepResult) -> None:
        rate = self._trainer.steps_per_second
        speed = {"steps_per_sec": rate} if rate is not None else {}
        self._events.training(result.step, {**result.losses, "learning_rate": result.learning_rate, **speed})

    def _measure(self, step: int, diverged: bool = False) -> None:
        """Evaluate the current weights, keep the row, print it."""
        _LOG.info("evaluating step %d", step)
        started = time.perf_counter()
        with self._context.stop.at_once():
            metrics = self._evaluator.evaluate()
        _LOG.info("evaluated in %.1f s", time.perf_counter() - started)
        if self._trainer.steps_per_second is not None:
            metrics[STEPS_PER_SECOND] = self._trainer.steps_per_second
        metrics[DIVERGED] = float(diverged)
        last = max(self._rows, key=lambda row: row.timestamp, default=None)
        timestamp = next_timestamp(last.timestamp if last else None, len(last.metrics) if last else 0)
        row = MetricRow(step, timestamp, metrics)
        self._forget(step, diverged)
        best = self._best()
        if best is None or self._context.request.objective.better(metrics, best.metrics):
            self._checkpoints.keep_as_best()
        self._rows = sorted([*self._rows, row], key=lambda each: each.step)
        self._context.folder.write_rows(self._rows)
        self._events.evaluation(step, metrics)
        self._context.stream.write(row.timestamp, row.metrics)

    def _forget(self, step: int, diverged: bool) -> None:
        """Leave out what was measured with lost weights and is measured now, or will not be any more."""
        gone = {each for each in self._again if diverged or each == step}
        self._rows = [row for row in self._rows if row.step not in gone]
        self._again -= gone

    def _best(self) -> MetricRow | None:
        """The evaluation of the checkpoint that is kept as the best; None where there is none."""
        step = self._checkpoints.best_step()
        return next((row for row in self._rows if row.step == step), None)

    def _end_diverged(self) -> None:
        """Go back to the last finite checkpoint and measure that."""
        step = self._checkpoints.restore_last()
        _LOG.warning("diverged: %s; measuring the checkpoint of step %s", self._diverged, step)
        folder = self._context.folder
        folder.record = replace(folder.record, diverged=self._diverged)
        self._measure(step or 0, diverged=True)
