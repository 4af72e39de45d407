"""A run's progress as lines of a log: one for everything that happens, for a pipe and for a pod's log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from rich.console import Console

from boxtune.report.text import assignment, duration, number, seconds_left
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial


class PlainListener:
    """One line for everything that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, Condition] = {}

    def __enter__(self) -> PlainListener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to clean up."""

    def notice(self, text: str) -> None:
        self._print(f"note: {text}")

    def changed(self, run: Run) -> None:
        for trial in run.everything:
            if self._said.get(trial.name) != trial.condition and trial.condition is not Condition.CREATED:
                self._said[trial.name] = trial.condition
                self._print(self._line(run, trial))

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        """A pipe gets no ticks."""

    def _line(self, run: Run, trial: Trial) -> str:
        values = ", ".join(f"{name} {assignment(value)}" for name, value in trial.assignments.items())
        if trial.condition is Condition.RUNNING:
            return f"{trial.name} started: {values}"
        if trial.condition is Condition.SUCCEEDED:
            measured = number(trial.value(run.experiment.objective))
            said = (
                f"{trial.name} succeeded after {duration(trial.seconds)}: {run.experiment.objective.metric} {measured}"
            )
        else:
            said = f"{trial.name} {trial.condition} after {duration(trial.seconds)}: {trial.reason}"
        return f"{said}; {standing(run)}"

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)


def standing(run: Run) -> str:
    """How far it is, what is best, how long it may take."""
    ended = sum(trial.condition.ended for trial in run.trials)
    most = run.experiment.counts.most
    parts = [f"{ended} of {most} done" if most is not None else f"{ended} done"]
    best = run.optimal
    if best is not None:
        parts.append(f"best so far {number(best.value(run.experiment.objective))} by {best.name}")
    left = seconds_left(run)
    if left is not None and run.condition == "Running":
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)
