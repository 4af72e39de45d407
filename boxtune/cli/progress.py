"""Progress of a run: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from boxtune.local.options import Listener
from boxtune.local.outcome import last_words
from boxtune.report.table import trials_table
from boxtune.report.text import assignment, duration, number, seconds_left
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial

_TABLE_MARGIN = 8  # lines of the terminal that the table leaves to headings and progress


class RunListener(Listener, AbstractContextManager["RunListener"], Protocol):
    """A listener that cleans up after itself."""


def make_listener(console: Console) -> RunListener:
    """The listener for this console."""
    return LiveListener(console) if console.is_terminal else PlainListener(console)


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
        return f"{said}; {_standing(run)}"

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)


class LiveListener:
    """A table that is redrawn in place; from the runner's own thread, since it forks."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveListener:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def notice(self, text: str) -> None:
        self._console.print(f"note: {text}", markup=False)

    def changed(self, run: Run) -> None:
        self._draw(run, {})

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        self._draw(run, running)

    def _draw(self, run: Run, running: Mapping[str, Path]) -> None:
        lines = [Text(f"{name}: {last_words(log)}", style="dim", no_wrap=True) for name, log in running.items()]
        rows = max(4, self._console.height - _TABLE_MARGIN - len(lines))
        self._live.update(Group(trials_table(run, most=rows), *lines, Text(_standing(run), style="bold")), refresh=True)


def _standing(run: Run) -> str:
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
