"""Report's rungs: how far each trial of a search by rungs has come, what it gave at each, and who went on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boxtune.runs.curves import evaluations
from boxtune.runs.run import Run
from boxtune.runs.trial import Trial, measurement
from boxtune.search.algorithms.hyperband import ETA, MOST, RESOURCE

_ETA = 3.0  # unless it is set
_HYPERBAND = "hyperband"  # Katib's name: each rung is a trial of its own there


@dataclass(frozen=True)
class Point:
    """A training measured at a rung.

    Attributes:
        trial: that trained to it.
        rung: from 0; None where the whole training is its own end, whatever rungs came before.
        place: the step, or how much there was of the resource; None where it is not known.
        value: of the objective.
    """

    trial: Trial
    rung: int | None
    place: float | None
    value: float


@dataclass(frozen=True)
class Climb:
    """One training from rung to rung: a trial, or with Hyperband a trial and those that go on from it.

    Attributes:
        points: from the lowest rung up.
        begun: rungs that were begun, measured or not.
    """

    points: tuple[Point, ...]
    begun: int


@dataclass(frozen=True)
class Rungs:
    """A search by rungs.

    Attributes:
        axis: what a place on a rung is counted in.
        climbs: those with a point, in the order in which they were begun.
    """

    axis: str
    climbs: tuple[Climb, ...]


@dataclass(frozen=True)
class Row:
    """What happened at one rung.

    Attributes:
        name: `rung 1`, or `whole training`.
        places: of its trainings, on the axis.
        measured: how many came to it.
        onward: how many of these were begun further.
        best: the best objective.
        trial: whose that is.
    """

    name: str
    places: str
    measured: int
    onward: int
    best: float
    trial: str


def rungs_of(run: Run) -> Rungs | None:
    """What there is to show of rungs; None where the search has none, or nothing was measured yet."""
    resource = run.experiment.settings.get(RESOURCE) if run.experiment.algorithm == _HYPERBAND else None
    if resource is not None:
        found = Rungs(resource, tuple(_by_resource(run, resource)))
    elif any(attempt.steps is not None for trial in run.trials for attempt in trial.attempts):
        found = Rungs("training steps", tuple(each for trial in run.trials if (each := _climb(run, trial)).points))
    else:
        return None
    return found if found.climbs else None


def _climb(run: Run, trial: Trial) -> Climb:
    """A trial's attempts that ended with a number, each rung once: one whose checkpoint was lost was run again."""
    points: dict[int | None, Point] = {}
    for attempt in trial.attempts:
        value = attempt.value(run.experiment.objective)
        if attempt.ended and value is not None:
            whole = attempt.steps is None
            place = _whole_steps(trial) if whole else attempt.steps
            rung = None if whole else list(_asked(trial)).index(attempt.steps)
            points[attempt.steps] = Point(trial, rung, place, value)
    return Climb(tuple(points.values()), len(_asked(trial)))


def _asked(trial: Trial) -> dict[int | None, None]:
    """What its attempts were to train to, in their order, each once."""
    return dict.fromkeys(attempt.steps for attempt in trial.attempts)


def _whole_steps(trial: Trial) -> int | None:
    """The step at which a whole training was measured last."""
    rows = evaluations(trial)
    return rows[-1].step if rows else None


def _by_resource(run: Run, resource: str) -> Iterator[Climb]:
    """Trials that differ in the resource alone are one training."""
    groups: dict[tuple[tuple[str, str], ...], dict[float, Trial]] = {}
    for trial in run.trials:
        amount = measurement(trial.assignments.get(resource, ""))
        if amount is not None:
            others = tuple(sorted((name, text) for name, text in trial.assignments.items() if name != resource))
            groups.setdefault(others, {})[amount] = trial
    amounts = sorted({amount for group in groups.values() for amount in group})
    most, eta = (measurement(run.experiment.settings.get(name, "")) for name in (MOST, ETA))
    for group in groups.values():
        points = [
            Point(trial, None if _is_whole(amount, most, eta) else amounts.index(amount), amount, value)
            for amount, trial in sorted(group.items())
            if (value := trial.measured_value(run.experiment.objective)) is not None
        ]
        if points:
            yield Climb(tuple(points), len(group))


def _is_whole(amount: float, most: float | None, eta: float | None) -> bool:
    """Whether nothing comes above it: Hyperband's last rung of a bracket may lie a little below `r_l`."""
    return most is not None and amount * (eta or _ETA) > most


def best_climb(run: Run, rungs: Rungs) -> Climb | None:
    """The one that the page calls the best trial; None where that is none of them."""
    names = [each.name for each in (run.chosen, run.optimal) if each is not None]
    for name in names:
        for climb in rungs.climbs:
            if any(point.trial.name == name for point in climb.points):
                return climb
    return None


def rung_rows(run: Run, rungs: Rungs) -> Iterator[Row]:
    """A row a rung, the lowest first and the whole training last."""
    at: dict[int | None, list[tuple[Climb, Point]]] = {}
    for climb in rungs.climbs:
        for point in climb.points:
            at.setdefault(point.rung, []).append((climb, point))
    for rung in sorted(at, key=lambda rung: math.inf if rung is None else rung):
        points = [point for _, point in at[rung]]
        best = run.experiment.objective.best_first(points, lambda point: point.value)[0]
        onward = sum(_went_on(climb, point) for climb, point in at[rung])
        name = "whole training" if rung is None else f"rung {rung + 1}"
        yield Row(name, _places(points), len(points), onward, best.value, best.trial.name)


def _went_on(climb: Climb, point: Point) -> bool:
    return point.rung is not None and (climb.points[-1] is not point or climb.begun > len(climb.points))


def _places(points: Sequence[Point]) -> str:
    """`42`, or `21 to 83` where trainings differ in length."""
    places = sorted({point.place for point in points if point.place is not None})
    if not places:
        return "–"
    ends = dict.fromkeys((places[0], places[-1]))
    return " to ".join(f"{each:g}" for each in ends)
