"""One trial in this process: restore, train, evaluate, save, and say what was measured."""

from __future__ import annotations

import argparse
import logging
import time
from typing import Any

from trial_entry.detection.checkpoints import Checkpoints
from trial_entry.detection.evaluation import Evaluator
from trial_entry.detection.events import Events
from trial_entry.detection.model import build_model, load_fine_tune_checkpoint
from trial_entry.detection.runtime import autograph, describe_runtime, start_runtime
from trial_entry.detection.training import TOTAL_LOSS, StepResult, Trainer, weights_are_finite
from trial_entry.divergence import DivergenceMonitor
from trial_entry.errors import Stopped
from trial_entry.metric_lines import MetricStream, next_timestamp
from trial_entry.model_dir import MetricRow, ModelDir
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import Dataset
from trial_entry.stopping import StopSignal

_LOG = logging.getLogger(__name__)
_EVENTS_EVERY = 100  # steps, as the stock loop writes
_LOG_SECONDS = 10.0
_OBJECTIVE = "mAP"


def run_trial(
    arguments: argparse.Namespace,
    config: TrainEvalPipelineConfig,
    dataset: Dataset,
    folder: ModelDir,
    trial: dict[str, Any],
    stream: MetricStream,
    stop: StopSignal,
    target: int,
) -> None:
    """Train to step `target` from wherever the folder stands, evaluating on the way.

    Args:
        trial: the contents of trial.json; versions, devices and progress are added.

    Raises:
        RequestError: config, checkpoint or data turn out wrong.
        Stopped: SIGTERM arrived; the state is saved.
    """
    _LOG.info("loading TensorFlow and building the model")
    strategy = start_runtime(trial["seed"] + trial.get("steps", 0), arguments.deterministic)
    trial.update(describe_runtime())
    with autograph(False):
        built = build_model(config, strategy)
        checkpoints = Checkpoints(built, folder.path)
        step = checkpoints.restore_last()
        if step is None and config.train_config.fine_tune_checkpoint:
            load_fine_tune_checkpoint(built, config)
    run = _Run(arguments, folder, trial, stream, stop, target)
    run.trainer = Trainer(built, config)
    run.evaluator = Evaluator(built, config, dataset.label_map, arguments.score_threshold)
    run.checkpoints, run.built = checkpoints, built
    with Events(folder.path, trial["assignments"]) as run.events:
        stop.defer()
        if step is None:
            run.save()
        run.go(int(built.global_step.numpy()))


class _Run:
    """The state of a running trial between its steps."""

    built: Any
    trainer: Trainer
    evaluator: Evaluator
    checkpoints: Checkpoints
    events: Events

    def __init__(
        self,
        arguments: argparse.Namespace,
        folder: ModelDir,
        trial: dict[str, Any],
        stream: MetricStream,
        stop: StopSignal,
        target: int,
    ) -> None:
        self._arguments = arguments
        self._folder = folder
        self._trial = trial
        self._stream = stream
        self._stop = stop
        self._target = target
        self._rows = folder.read_rows()
        self._saved = -1
        self._logged = 0.0
        self._diverged: str | None = None
        self._monitor = DivergenceMonitor(arguments.divergence_factor, arguments.divergence_steps)
        if "divergence" in trial:
            self._monitor.resume(trial["divergence"])

    def go(self, step: int) -> None:
        """Train from `step` to the target; an evaluation that is due at `step` and was not made comes first."""
        _LOG.info("%s step %d, to %d", "going on from" if step else "training from", step, self._target)
        self._saved, traced = step, False
        try:
            while True:
                if self._due(step, self._arguments.eval_every_n) and not self._measured(step):
                    self._measure(step)
                if step >= self._target:
                    return
                if not traced:
                    with self._stop.at_once():
                        self.trainer.trace()
                    traced = True
                until = self._next(step)
                self.trainer.run(until, self._after_step)
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
        step = int(self.built.global_step.numpy())
        if step == self._saved:
            return
        if not weights_are_finite(self.built):
            self._diverged = self._diverged or "a weight is not finite"
            return
        self.checkpoints.save()
        self._saved = step
        self._trial.update({"steps": step, "divergence": self._monitor.state()})
        self._folder.write_trial(self._trial)

    def _due(self, step: int, every: int) -> bool:
        return step >= self._target or bool(every and step and step % every == 0)

    def _measured(self, step: int) -> bool:
        return any(row.step == step for row in self._rows)

    def _next(self, step: int) -> int:
        """The next step at which something is to be saved or measured."""
        periods: list[int] = [self._arguments.checkpoint_every_n, self._arguments.eval_every_n]
        return min([self._target, *((step // period + 1) * period for period in periods if period)])

    def _after_step(self, result: StepResult) -> bool:
        self._diverged = self._monitor.observe(result.losses[TOTAL_LOSS])
        if self._diverged is not None:
            return False
        rate = self.trainer.steps_per_second
        if result.step % _EVENTS_EVERY == 0 or result.step == self._target:
            speed = {"steps_per_sec": rate} if rate is not None else {}
            self.events.training(result.step, {**result.losses, "learning_rate": self.trainer.learning_rate(), **speed})
        if result.step == self._target or time.monotonic() - self._logged > _LOG_SECONDS:
            self._logged = time.monotonic()
            shown = f", {rate:.3g} steps a second" if rate is not None else ""
            _LOG.info("step %d of %d, loss %.4g%s", result.step, self._target, result.losses[TOTAL_LOSS], shown)
        self._stop.check()
        return True

    def _measure(self, step: int, diverged: bool = False) -> None:
        """Evaluate the current weights, keep the row, print it."""
        _LOG.info("evaluating step %d", step)
        started = time.perf_counter()
        with self._stop.at_once():
            metrics = self.evaluator.evaluate()
        _LOG.info("evaluated in %.1f s", time.perf_counter() - started)
        if self.trainer.steps_per_second is not None:
            metrics["train_steps_per_second"] = self.trainer.steps_per_second
        metrics["diverged"] = float(diverged)
        last = self._rows[-1] if self._rows else None
        timestamp = next_timestamp(last.timestamp if last else None, len(last.metrics) if last else 0)
        best = max((row.metrics.get(_OBJECTIVE, 0.0) for row in self._rows), default=None)
        if best is None or metrics.get(_OBJECTIVE, 0.0) > best:
            self.checkpoints.keep_as_best()
        row = MetricRow(step, timestamp, metrics)
        self._rows.append(row)
        self._folder.write_rows(self._rows)
        self.events.evaluation(step, metrics)
        self._stream.write(row.timestamp, row.metrics)

    def _end_diverged(self) -> None:
        """Go back to the last finite checkpoint and measure that."""
        step = self.checkpoints.restore_last()
        _LOG.warning("diverged: %s; measuring the checkpoint of step %s", self._diverged, step)
        self._trial["diverged"] = self._diverged
        self._measure(step or 0, diverged=True)
