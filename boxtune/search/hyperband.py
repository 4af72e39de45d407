"""Hyperband as Katib's service runs it: brackets of trials, whose best are tried again with more of a resource.

Source: `pkg/suggestion/v1beta1/hyperband/service.py` of Katib v0.19, which passes its state from answer to answer in
the algorithm's settings; here the trials alone say where the search is. A trial is one rung of one bracket: its
resource (epochs, steps) is a parameter that Hyperband sets, whatever its space is, and a better one's child has its
other assignments. Where it differs from the service:

- The first rung of a bracket has as many trials as Hyperband's formula says, which the service has too; but it puts in
  the number that Katib's controller asks for, and a later rung is accepted only where it has that number as well.
- A trial that failed is worse than every other and has no child; the service never answers again after one.
- Values are drawn by their distributions; the service ignores those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.trial import Role, Trial
from boxtune.search.cube import Cube
from boxtune.search.fresh_points import FreshPoints
from boxtune.search.memory import Memory
from boxtune.search.policy import SearchProblem, Suggestion, next_number
from boxtune.search.sampler import mixed


@dataclass(frozen=True)
class Bracket:
    """One of Hyperband's brackets, by the names of Katib's service.

    Attributes:
        n: trials of its first rung.
        r: resource of each of them.
        s: rungs after the first.
    """

    n: int
    r: int
    s: int


def brackets(r_l: float, eta: float) -> Iterator[Bracket]:
    """From the one that begins with the most trials to that of whole trainings."""
    s_max = int(math.log(r_l) / math.log(eta))
    for s in reversed(range(s_max + 1)):
        yield Bracket(math.ceil((s_max + 1) * (eta**s / (s + 1))), max(int(r_l * eta**-s), 1), s)


class HyperbandPolicy:
    """A `Policy` that fills one rung after the other, and waits for each to end."""

    def __init__(self, problem: SearchProblem, r_l: float, eta: float, resource: ParameterSpec) -> None:
        """
        Args:
            r_l: the whole training's resource.
            eta: of a rung's trials, one in so many has a child with so many times the resource.
            resource: the parameter that it is given in.
        """
        self._problem = problem
        self._resource = resource
        self._eta = eta
        self._brackets = list(brackets(r_l, eta))
        self._cube = Cube(problem.space)

    def suggest(self, trials: Sequence[Trial]) -> Suggestion | None:
        """The next trial of the rung that is being filled; None while its others run, and after the last bracket.

        What would not fit in memory is left out, so that a rung may have fewer trials than it should.
        """
        own = [trial for trial in trials if trial.role is Role.SUGGESTED]
        number, begun = next_number(trials), 0
        fits = Memory(trials, self._problem.surroundings.footprint).fits
        for bracket in self._brackets:
            free = self._points(own[:begun], bracket.r)
            many = bracket.n if free.left is None else min(bracket.n, free.left)
            rung = self._first(own[begun : begun + many], bracket.r)
            begun += len(rung)
            if len(rung) < many and begun == len(own):
                drawn = self._points(own, bracket.r).fresh(number, self._draws(number, bracket.r), fits)
                if drawn is not None:
                    return Suggestion(number, drawn)
            for i in range(1, bracket.s + 1):
                if not all(trial.condition.ended for trial in rung):
                    return None
                chosen = self._top(rung, math.ceil(math.ceil(bracket.n * self._eta ** (1 - i)) / self._eta))
                wanted = [self._given(trial.assignments, int(bracket.r * self._eta**i)) for trial in chosen]
                rung, missing = _children(own[begun:], wanted)
                begun += len(rung)
                child = next(filter(fits, missing), None)
                if child is not None:
                    return Suggestion(number, child)
            if not all(trial.condition.ended for trial in rung):
                return None
        return None

    def _first(self, trials: Sequence[Trial], resource: int) -> Sequence[Trial]:
        """Those of a bracket's first rung: where there were no more that fit, others follow before it is full."""
        return list(takewhile(lambda trial: trial.assignments.get(self._resource.name) == str(resource), trials))

    def _top(self, rung: Sequence[Trial], many: int) -> list[Trial]:
        """The best of a rung's trials that were measured; of equal ones the earlier."""
        objective = self._problem.objective
        return objective.best_first(rung, lambda trial: trial.measured_value(objective))[:many]

    def _draws(self, number: int, resource: int) -> Callable[[int], Assignments]:
        """Assignments for trial `number` by the attempt to draw them."""

        def draw(attempt: int) -> Assignments:
            dice = np.random.default_rng(mixed(self._problem.seed, number, attempt))
            return self._given(self._cube.assignments(dice.random(self._cube.size)), resource)

        return draw

    def _given(self, assignments: Assignments, resource: int) -> Assignments:
        """`assignments` with this much of the resource."""
        return {**assignments, self._resource.name: str(resource)}

    def _points(self, trials: Sequence[Trial], resource: int) -> FreshPoints:
        """What is left of the space for this much of the resource."""
        name, value = self._resource.name, str(resource)
        only = ParameterSpec(name, "discrete", values=(value,))
        space = [only if spec.name == name else spec for spec in self._problem.space]
        points = FreshPoints(space, self._problem.seed)
        for trial in trials:
            if trial.assignments.get(name) == value and not trial.forgotten:
                points.take(trial.assignments)
        return points


def _children(trials: Sequence[Trial], wanted: Sequence[Assignments]) -> tuple[list[Trial], Sequence[Assignments]]:
    """Those of a rung's trials that were begun, and what of the rung may still be: after the last that was, since what
    stands before it was left out.

    Args:
        trials: from the rung on.
        wanted: assignments of the rung, in their order.
    """
    begun: list[Trial] = []
    for place, each in enumerate(wanted):
        if len(begun) == len(trials):
            return begun, wanted[place:]
        if trials[len(begun)].assignments == each:
            begun.append(trials[len(begun)])
    return begun, []
