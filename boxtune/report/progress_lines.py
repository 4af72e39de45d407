"""A run's progress as lines of a log: one for everything that happens, for a pipe and for a pod's log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from rich.console import Console

from boxtune.report.text import assignment, duration, number, seconds_left
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial

_ENDS = {Condition.SUCCEEDED: "succeeded", Condition.EARLY_STOPPED: "stopped early"}
_DIGITS = re.compile(r"\d+")


class PlainListener:
    """One line for everything that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, tuple[Condition, int]] = {}
        self._reasons: set[tuple[str, str]] = set()

    def __enter__(self) -> PlainListener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to clean up."""

    def notice(self, text: str) -> None:
        self._print(f"note: {text}")

    def changed(self, run: Run) -> None:
        self._wait(run.experiment.name, f"no trial begins: {run.waits}" if run.waits else "")
        for trial in run.repeats if run.ended and run.repeats else (*run.everything, *run.repeats):
            now = trial.condition, len(trial.attempts)
            if self._said.get(trial.name) != now and trial.condition is not Condition.CREATED:
                self._print(self._line(run, trial))
                self._said[trial.name] = now
            if not trial.condition.ended:
                self._wait(trial.name, trial.reason)

    def _wait(self, name: str, reason: str) -> None:
        """Say once why `name` waits; ports and addresses in a message are others each time."""
        kind = name, _DIGITS.sub("", reason)
        if reason and kind not in self._reasons:
            self._reasons.add(kind)
            self._print(f"{name}: {reason}")

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        """A pipe gets no ticks."""

    def _line(self, run: Run, trial: Trial) -> str:
        values = ", ".join(f"{name} {assignment(value)}" for name, value in trial.assignments.items())
        to = f"to step {trial.steps}" if trial.steps is not None else "to its end"
        if trial.condition is Condition.RUNNING:
            went_on = any(attempt.ended for attempt in trial.attempts[:-1])  # else it was cut off, or is new
            return f"{trial.name} goes on {to}" if went_on else f"{trial.name} started: {values}"
        is_paused = trial.condition is Condition.PAUSED
        how = f"paused at step {trial.steps}" if is_paused else _ENDS.get(trial.condition, trial.condition)
        said = f"{trial.name} {how} after {duration(trial.seconds)}"
        if trial.condition.measured or is_paused:
            objective = run.experiment.objective
            said = f"{said}: {objective.metric} {number(trial.value(objective))}"
        if trial.reason:
            said = f"{said}: {trial.reason}"
        return f"{said}; {standing(run)}"

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)


def standing(run: Run) -> str:
    """How far it is, what is best, how long it may take; of a search that is over, how far its repeats are."""
    if run.ended and run.repeats:
        return f"{sum(trial.condition.ended for trial in run.repeats)} of {len(run.repeats)} repeats done"
    ended = sum(trial.condition.ended for trial in run.trials)
    most = run.experiment.counts.most
    parts = [f"{ended} of {most} done" if most is not None else f"{ended} done"]
    paused = sum(trial.condition is Condition.PAUSED for trial in run.trials)
    if paused:
        parts.append(f"{paused} paused")
    best = run.optimal
    if best is not None:
        parts.append(f"best so far {number(best.value(run.experiment.objective))} by {best.name}")
    left = seconds_left(run)
    if left is not None and run.condition == "Running":
        parts.append(f"about {duration(left)} left")
    if run.waits:
        parts.append(f"no trial begins: {run.waits}")
    return ", ".join(parts)
