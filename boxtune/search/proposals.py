"""New points to try: some at random, early ones near the default, the others where a model expects to gain the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boxtune.experiment.space import Assignments, inside
from boxtune.search.cube import Cube
from boxtune.search.gaussian_process import Array, GaussianProcess
from boxtune.search.policy import SearchProblem
from boxtune.search.ranking import Score
from boxtune.search.sampler import mixed

_EARLY = 10  # observations, before which a model knows nothing
_NEAR_DEFAULT = 0.6  # of the early draws
_NEAR = 0.2  # how far such a draw leaves the default, as a share of each range
_RANDOM, _LOCAL, _BEST = 512, 64, 4  # candidates: at random; around each of the best tried
_STEP = 0.2  # how far those around the best leave it
_FACTORS = (1.0, 2.0, 6.0)  # of the noise's variance: at the top rung, the one below, and all that are lower
_MOST = 200  # observations of a model: its time grows with their third power
_COUNTS_LESS = 2.0  # and of it in an earlier run on other data, or of another base config

_Observed = tuple[Assignments, Score, int]  # the last is the run's place


@dataclass(frozen=True)
class Earlier:
    """Trials of an earlier run that were ranked among themselves.

    Attributes:
        tried: assignments and score of each.
        counts_less: whether this run would have trained something else, or on other data.
    """

    tried: Sequence[tuple[Assignments, Score]]
    counts_less: bool


@dataclass(frozen=True)
class Known:
    """What is known when a point is drawn.

    Attributes:
        tried: assignments and score of each trial that has one.
        running: assignments of those that have none yet.
    """

    tried: Sequence[tuple[Assignments, Score]]
    running: Sequence[Assignments]


class Proposals:
    """Draws points of a problem's space."""

    def __init__(
        self, problem: SearchProblem, random_share: float, rungs: int, earlier: Sequence[Earlier] = ()
    ) -> None:
        """
        Args:
            random_share: of the draws that are made at random.
            rungs: how many there are.
            earlier: trials that are not ranked with this run's.
        """
        self._cube = Cube(problem.space)
        self._space = problem.space
        self._seed = problem.seed
        self._random_share = random_share
        self._rungs = rungs
        self._earlier = earlier
        default = problem.surroundings.default
        self._default = self._cube.point(default) if default is not None else None

    def draw(self, number: int, attempt: int, known: Known) -> Assignments:
        """A point for trial `number`; a higher `attempt` gives another, where there is another."""
        dice = np.random.default_rng(mixed(self._seed, number, attempt))
        return self._cube.assignments(self._point(dice, known))

    def _point(self, dice: np.random.Generator, known: Known) -> Array:
        tried = [(each, score) for each, score in known.tried if inside(self._space, each)]
        lot = dice.random()
        if len(tried) + sum(len(run.tried) for run in self._earlier if not run.counts_less) < _EARLY:
            if self._default is not None and lot < _NEAR_DEFAULT:
                near: Array = self._cube.near(self._default, _NEAR, 1, dice)[0]
                return near
            return dice.random(self._cube.size)
        if lot < self._random_share:
            return dice.random(self._cube.size)
        return self._promising(dice, Known(tried, known.running))

    def _promising(self, dice: np.random.Generator, known: Known) -> Array:
        """The candidate that is expected to better what was tried by the most."""
        from threadpoolctl import threadpool_limits

        cube, runs = self._cube, (Earlier(known.tried, False), *self._earlier)
        observed = _most([(*each, place) for place, run in enumerate(runs) for each in run.tried], dice)
        points = np.stack([cube.point(assignments) for assignments, _, _ in observed])
        scores = np.array([score.value for _, score, _ in observed])
        factors = np.array(
            [
                _factor(score.rung, self._rungs) * (_COUNTS_LESS if runs[place].counts_less else 1.0)
                for _, score, place in observed
            ]
        )
        places = np.array([place for _, _, place in observed])
        best = np.argsort(-scores, kind="stable")[:_BEST]
        around = [cube.near(points[place], _STEP, _LOCAL, dice) for place in best]
        candidates = np.vstack([dice.random((_RANDOM, cube.size)), *around])
        with threadpool_limits(1):  # the cores are the trials'
            model = GaussianProcess(cube.columns(points), scores, factors, cube.groups, places)
            if known.running:
                # What runs counts as what is expected of it, so that the next looks elsewhere.
                model = model.believe(cube.columns(np.stack([cube.point(each) for each in known.running])))
            gains = model.improvement(cube.columns(candidates))
        chosen: Array = candidates[int(np.argmax(gains))]
        return chosen


def _most(observed: list[_Observed], dice: np.random.Generator) -> list[_Observed]:
    """As many as a model takes: the run's own before earlier ones', those of higher rungs before lower ones', at random
    of the rung that has more.
    """
    if len(observed) <= _MOST:
        return observed
    lots = dice.random(len(observed))
    order = sorted(range(len(observed)), key=lambda at: (observed[at][2] > 0, -observed[at][1].rung, lots[at]))
    return [observed[place] for place in sorted(order[:_MOST])]


def _factor(rung: int, rungs: int) -> float:
    return _FACTORS[min(rungs - 1 - rung, len(_FACTORS) - 1)]
