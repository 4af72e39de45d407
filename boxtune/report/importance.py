"""How much of the objective's variation each parameter explains, and each two together; and what cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.report.anova import Array, Basis, Draws, contrasts, draws, pair_of, smooth, stepwise
from boxtune.report.plots import measured_trials
from boxtune.report.shares import LEVEL, Importance, Share
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial
from boxtune.search.coordinates import coordinate
from boxtune.search.ranking import Ranking
from boxtune.search.rungs import Climb, Observation

LEAST_TRIALS = 6  # below it nothing can be said
_MOST_PAIRED = 10  # parameters, of which each two are looked at together
_SHOWN_PAIRS = 3  # of those that cannot be told from chance, at most this many


def importance(run: Run) -> Importance | None:
    """What each parameter explains; None with too few trials, or where all gave the same.

    Where trials wait at rungs, their objectives were measured after different numbers of steps. Those that were trained
    whole are the better ones, which hides what made the others worse; so all are compared, by the score that `asha`
    gives them, which is made of orders within rungs.
    """
    from threadpoolctl import threadpool_limits

    known, ranked = _known(run)
    values = np.array([value for _, value in known])
    specs = [spec for spec in run.experiment.parameters if _varies(spec, [given[spec.name] for given, _ in known])]
    if len(known) < LEAST_TRIALS or np.ptp(values) == 0 or not specs:
        return None
    mains = [_basis(spec, [given[spec.name] for given, _ in known]) for spec in specs]
    paired = _paired(mains, values)
    with threadpool_limits(1):  # the other cores may be trials'
        found = draws(mains, [pair_of(mains[one], mains[other]) for one, other in paired], values)
    names = [(spec.name,) for spec in specs] + [(specs[one].name, specs[other].name) for one, other in paired]
    shares = list(_shares(names, found))
    alone, together = (sorted(each, key=_strength) for each in (shares[: len(specs)], shares[len(specs) :]))
    told = [each for each in together if each.is_told]
    shown = together[: max(len(told), _SHOWN_PAIRS)]
    return Importance(len(known), tuple(alone), tuple(shown), _rest(found.rest), ranked)


def _strength(share: Share) -> tuple[bool, float]:
    """The strongest first, those that are told from chance before the others."""
    return not share.is_told, -share.value


def _shares(names: Sequence[tuple[str, ...]], found: Draws) -> Iterator[Share]:
    """The upper end is that of the term if it is there: that it may be absent does not make a small one impossible."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(found.shares, (tail, 1 - tail), axis=0)
    most = np.maximum(high, np.quantile(found.shares_if_there, 1 - tail, axis=0))
    value = np.clip(found.shares.mean(axis=0), low, most)
    for place, each in enumerate(names):
        yield Share(each, float(value[place]), float(low[place]), float(most[place]))


def _rest(drawn: Array) -> Share:
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Share((), float(drawn.mean()), float(low), float(high))


def _basis(spec: ParameterSpec, given: Sequence[str]) -> Basis:
    """The functions of a parameter that the trials could tell from each other."""
    different = len(set(given)) - 1
    if spec.parameter_type == "categorical":
        return contrasts(np.array([spec.index_of(text) for text in given]), len(spec.values))
    if spec.values:
        order = {value: place for place, value in enumerate(sorted(spec.values, key=float))}
        places = np.array([order[spec.value_at(spec.index_of(text))] for text in given])
        return stepwise(places, len(order), different)
    if spec.count is not None and spec.distribution == "uniform":
        return stepwise(np.array([spec.index_of(text) for text in given]), spec.count, different)
    encode = coordinate(spec).encode
    return smooth(np.array([encode(text) for text in given]), different)


def _paired(mains: Sequence[Basis], values: Array) -> list[tuple[int, int]]:
    """Which parameters are looked at together: all, or of many those that explain the most by a straight line."""
    if len(mains) <= _MOST_PAIRED:
        return list(combinations(range(len(mains)), 2))
    towards = values - values.mean()
    alone = [float(np.abs(towards @ each.columns[:, :2]).max()) for each in mains]
    chosen = sorted(sorted(range(len(mains)), key=lambda place: -alone[place])[:_MOST_PAIRED])
    return list(combinations(chosen, 2))


def _known(run: Run) -> tuple[list[tuple[Assignments, float]], bool]:
    """The assignments of each trial that tells something, and what it gave; whether that is a rank's score."""
    objective = run.experiment.objective
    if not any(trial.condition is Condition.PAUSED for trial in run.trials):
        found = [(trial.assignments, trial.value(objective)) for trial in measured_trials(run)]
        return [(given, value) for given, value in found if value is not None], False
    names = {spec.name for spec in run.experiment.parameters}
    trials = [trial for trial in run.trials if names <= trial.assignments.keys()]
    results = {trial.name: _results(trial) for trial in trials}
    top = max(map(len, results.values()), default=0)
    climbs = [Climb(trial, tuple(range(top + 1)), results[trial.name] | _whole(trial, top)) for trial in trials]
    scores = Ranking(objective, [each for each in climbs if each.results]).scores(top + 1)
    by_name = {trial.name: trial.assignments for trial in trials}
    return [(by_name[name], score.value) for name, score in scores.items()], True


def _results(trial: Trial) -> dict[int, Observation | None]:
    """What was measured at each rung below the highest, by their order: a promotion trains to the next."""
    ended = {attempt.steps: attempt.observation for attempt in trial.attempts if attempt.ended and attempt.observation}
    return dict(enumerate(observation for steps, observation in ended.items() if steps is not None))


def _whole(trial: Trial, top: int) -> dict[int, Observation | None]:
    """What its whole training measured, by the highest rung."""
    ended = [attempt for attempt in trial.attempts if attempt.ended and attempt.steps is None and attempt.observation]
    return {top: ended[-1].observation} if ended else {}


def _varies(spec: ParameterSpec, values: Sequence[str]) -> bool:
    """Whether a parameter was searched: hyperband sets one of them itself, whatever its space is."""
    return len(set(values)) > 1 and all(spec.contains(value) for value in values)
