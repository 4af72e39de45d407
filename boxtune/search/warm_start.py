"""What earlier runs tell a search: points to begin with, values in its own units, and orders where there are none.

Numbers are taken from trials that this run would train the same way on the same data, no others: elsewhere an mAP of
0.3 may be much or little. Of those, the order within their own run is what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from boxtune.experiment.space import Assignments
from boxtune.runs.prior import PriorRun, PriorTrial
from boxtune.runs.trial import Condition, Role, Trial
from boxtune.search.policy import SearchProblem
from boxtune.search.rungs import Climb, Shares
from trial_entry.pipeline_config.values import same_value

_FIRST = 3  # of a run whose numbers are no numbers of this one; of the others the best alone: what it gave is known
_MOST_FIRST = 6  # of all runs together
_ROUNDED = Fraction(1, 100)  # by which a rung's step may miss its share


def promising(problem: SearchProblem) -> list[Assignments]:
    """Earlier points that a search begins with, so that what it hands over is not worse than what there was: the best
    that was trained whole of those whose values count, then the best of each run whose order alone does.
    """
    known = problem.objective.best_first(whole_values(problem), lambda pair: pair[1])
    found = [assignments for assignments, _ in known[:1]]
    for run in problem.surroundings.prior:
        ordered = _in_order(problem, [each for each in run.trials if each.counts_less])
        found += [each.assignments for each in ordered[:_FIRST]]
    default = problem.surroundings.default  # which a search begins with anyway
    new = [each for place, each in enumerate(found) if each not in found[:place] and not _are_same(each, default)]
    return new[:_MOST_FIRST]


def _are_same(one: Assignments, other: Assignments | None) -> bool:
    return other is not None and all(same_value(one[name], other[name]) for name in other)


def whole_values(problem: SearchProblem) -> list[tuple[Assignments, float]]:
    """Assignments and objective of each earlier trial that was trained whole and whose value is one of this run's."""
    return [
        (trial.assignments, value)
        for run in problem.surroundings.prior
        for trial in run.trials
        if not trial.counts_less and (value := _end(problem, trial)) is not None
    ]


def comparable_climbs(problem: SearchProblem, shares: Shares) -> list[Climb]:
    """How far each earlier trial came whose values are this run's."""
    return [each for run in problem.surroundings.prior for each in _climbs(run, shares, counts_less=False)]


def other_climbs(problem: SearchProblem, shares: Shares) -> list[list[Climb]]:
    """How far those came whose order within their own run is all that counts, run by run."""
    runs = [list(_climbs(run, shares, counts_less=True)) for run in problem.surroundings.prior]
    return [run for run in runs if run]


def _climbs(run: PriorRun, shares: Shares, counts_less: bool) -> Iterator[Climb]:
    """Those that came to one of this run's rungs, of the trials that count less or of the others."""
    steps = tuple(range(1, len(shares) + 1))  # the places of the rungs: nothing of it is trained here
    for each in run.trials:
        if bool(each.counts_less) is not counts_less:
            continue
        results = {}
        for result in each.results:
            rung = sum(float(share * (1 - _ROUNDED)) <= result.share for share in shares) - 1
            if rung >= 0:
                results[rung] = {metric.name: metric for metric in result.observation}
        if results:
            name = f"{run.source}/{each.name}"  # no trial of this run is called so
            trial = Trial(name, Role.SUGGESTED, None, each.assignments, condition=Condition.SUCCEEDED)
            yield Climb(trial, steps, results, max(results))


def _in_order(problem: SearchProblem, trials: Sequence[PriorTrial]) -> list[PriorTrial]:
    """Those that were trained whole, the best first."""
    return problem.objective.best_first(trials, lambda each: _end(problem, each))


def _end(problem: SearchProblem, trial: PriorTrial) -> float | None:
    return trial.end.value(problem.objective) if trial.end is not None else None
