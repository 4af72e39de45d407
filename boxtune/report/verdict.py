"""What stands under a run's table: where it stands, the best, whether that is confirmed, what comes next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from boxtune.report.answer import answer, details
from boxtune.report.memory import memory_found, memory_lines
from boxtune.report.text import against_baseline, number
from boxtune.runs.run import Run
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Condition, Trial


def verdict(run: Run) -> list[str]:
    """The last lines under a table: the state, the best trial, the baseline, where the best config lies."""
    ended = sum(trial.condition.ended for trial in run.trials)
    paused = sum(trial.condition is Condition.PAUSED for trial in run.trials)
    left = f", {paused} paused on the way" if paused else ""
    counted = f"{ended} trial{'' if ended == 1 else 's'} ended{left}, {_endings(run.trials)}"
    lines = [f"{run.experiment.name}: {run.message} ({counted})"]
    lines += [each.sentence for each in run.warm_start]
    if run.waits:
        lines.append(f"no trial begins: {run.waits}")
    lines += memory_lines(run, memory_found(run))
    best = run.optimal
    if best is None:
        return [*lines, "no trial has succeeded yet"]
    value = number(best.value(run.experiment.objective))
    lines.append(f"best: {best.name} with {run.experiment.objective.metric} {value}")
    compared = against_baseline(run)
    if compared:
        lines.append(compared)
    if run.ended or run.repeats:
        lines += [answer(run), *details(run)]
    config = trained_config(run.chosen or best)
    if config is not None:
        lines.append(f"its pipeline.config: {config}")
        if run.folder is not None and run.ended:
            lines.append(f"next: boxtune train {shlex.quote(str(run.folder))}")
    return lines


def _endings(trials: Sequence[Trial]) -> str:
    """How many did not succeed, and why."""
    stopped = sum(trial.condition is Condition.EARLY_STOPPED for trial in trials)
    failed = sum(trial.condition.failed for trial in trials)
    return ", ".join([*([f"{stopped} stopped early"] if stopped else []), f"{failed or 'none'} failed"])
