"""Asynchronous successive halving by promotion: many trainings are begun, the better ones of each rung gone on with.

After Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020): a worker that is free promotes whatever
may be promoted, from the top rung down, else begins something new, and so never waits for a rung to fill. What is new
comes from one model over all rungs (`boxtune.search.proposals`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from boxtune.experiment.space import Assignments
from boxtune.runs.trial import Role, Trial
from boxtune.search.fresh_points import FreshPoints
from boxtune.search.ladders import Ladders
from boxtune.search.memory import Memory
from boxtune.search.policy import SearchProblem, Suggestion, next_number
from boxtune.search.proposals import Earlier, Known, Proposals
from boxtune.search.ranking import Ranking, Score
from boxtune.search.rungs import Climb, Shares, climb
from boxtune.search.warm_start import comparable_climbs, other_climbs, promising


class AshaPolicy:
    """A `Policy` whose suggestions end at a rung, and which suggests going on from there.

    A budget in steps is never exceeded, and never spent without one trial trained whole, as long as trainings do not
    fail: something new is begun only where its whole training would fit, and nothing that would take away what the
    nearest to the top still needs.
    """

    def __init__(self, problem: SearchProblem, shares: Shares, eta: float, random_share: float) -> None:
        """
        Args:
            shares: of the whole training, at which a trial is measured and may be left; the last is 1.
            eta: of the trials that completed a rung, one in so many is promoted.
            random_share: of the new trials that are drawn at random.

        Raises:
            ExperimentError: trainings whose length is known are too short for the rungs, or for the budget in steps.
        """
        self._problem = problem
        self._eta = eta
        self._rungs = len(shares)
        self._ladders = Ladders(problem, shares)
        self._first = promising(problem)
        comparable = comparable_climbs(problem, shares)
        # A rank among all trials begins at the lowest rung; what skipped it is ranked by itself.
        self._ranked_along = [each for each in comparable if 0 in each.results]
        skipped = [each for each in comparable if 0 not in each.results]
        others = [(run, True) for run in other_climbs(problem, shares)]
        earlier = [Earlier(self._tried(run), less) for run, less in [(skipped, False), *others] if run]
        self._proposals = Proposals(problem, random_share, self._rungs, earlier)

    def suggest(self, trials: Sequence[Trial]) -> Suggestion | None:
        """A promotion, else a new trial; None where neither can be now, and once nothing runs any more.

        Raises:
            ExperimentError: how long a training is cannot be told, or is too short for the rungs.
        """
        own = [trial for trial in trials if trial.role is Role.SUGGESTED]
        climbs = [climb(trial, self._ladders.steps(trial.assignments)) for trial in own]
        told = [each for each in climbs if not each.trial.forgotten]
        ranking = Ranking(self._problem.objective, told)
        left = self._steps_left(trials, climbs)
        for order in (self._with_earlier(told), ranking) if self._ranked_along else (ranking,):
            promotion = self._promotion(climbs, order, left, least=0)
            if promotion is not None:
                return promotion
        points = FreshPoints(self._problem.space, self._problem.seed)
        for each in told:
            points.take(each.trial.assignments)
        begun = self._new(trials, told, points) if self._may_begin(told, points) else None
        if begun is not None and self._ladders.steps(begun)[-1] <= left:
            return Suggestion(next_number(trials), begun, self._ladders.asked(begun, 0))
        if any(trial.condition.open for trial in trials):
            return None
        last = self._promotion(climbs, ranking, left, least=1)
        return self._rest(ranking, left) if last is None and self._has_budget else last

    @property
    def _has_budget(self) -> bool:
        return self._problem.surroundings.most_steps is not None

    def _may_begin(self, told: Sequence[Climb], points: FreshPoints) -> bool:
        """Whether counts and the space leave room for a new trial."""
        most = self._problem.most
        return (most is None or len(told) < most) and points.left != 0

    # Promotions.

    def _with_earlier(self, climbs: Sequence[Climb]) -> Ranking:
        """The order among earlier trials too, where their values are this run's: whatever is among the best of those
        need not wait until others have come to its rung.
        """
        return Ranking(self._problem.objective, [*self._ranked_along, *climbs])

    def _promotion(self, climbs: Sequence[Climb], ranking: Ranking, left: float, least: int) -> Suggestion | None:
        """The best of the highest rung that may be promoted, where its steps are left.

        Args:
            least: how many of a rung are promoted however few completed it: 1 at the end, when none will come to it.
        """
        for rung in reversed(range(self._rungs - 1)):
            order = ranking.at(rung)
            allowed = min(max(least, int(len(order) / self._eta)), len(order))
            if least and sum(each.aim > rung and not each.is_lost for each in order) >= allowed:
                continue
            for each in order if least else order[:allowed]:
                if each.can_go_on and each.rung == rung and self._fits(each, climbs, left):
                    return self._onward(each)
        return None

    def _rest(self, ranking: Ranking, left: float) -> Suggestion | None:
        """Towards the best that a budget in steps can still train whole, once nothing new fits in what is left."""
        for rung in reversed(range(self._rungs - 1)):
            for each in ranking.at(rung):
                if each.can_go_on and each.rung == rung and each.missing <= left:
                    return self._onward(each)
        return None

    def _onward(self, promoted: Climb) -> Suggestion:
        """The promotion of a trial to its next rung."""
        trial = promoted.trial
        steps = self._ladders.asked(trial.assignments, promoted.rung + 1)
        return Suggestion(trial.number or 0, trial.assignments, steps, trial.name)

    def _fits(self, promoted: Climb, climbs: Sequence[Climb], left: float) -> bool:
        """Whether a promotion is within the budget, and what it leaves is enough to train one trial whole."""
        more = promoted.steps[promoted.rung + 1] - promoted.spent
        others = (each for each in climbs if each is not promoted)
        return left - more >= min(promoted.missing - more, self._reserve(others))

    @staticmethod
    def _reserve(climbs: Iterator[Climb]) -> float:
        """The steps until the first of these is trained whole, if none fails."""
        able = (each for each in climbs if each.is_whole or each.trial.condition.open or each.can_go_on)
        return min((each.missing for each in able), default=math.inf)

    def _steps_left(self, trials: Sequence[Trial], climbs: Sequence[Climb]) -> float:
        """Of the budget in steps; endless where there is none."""
        most = self._problem.surroundings.most_steps
        if most is None:
            return math.inf
        others = (trial for trial in trials if trial.role is not Role.SUGGESTED)
        return most - sum(each.spent for each in climbs) - sum(self._ladders.spent(trial) for trial in others)

    # New trials.

    def _new(self, trials: Sequence[Trial], climbs: Sequence[Climb], points: FreshPoints) -> Assignments | None:
        """The default first, if the search has no baseline; the best of earlier runs; then what is proposed."""
        surroundings = self._problem.surroundings
        default, fits = surroundings.default, Memory(trials, surroundings.footprint).fits
        has_baseline = any(trial.is_baseline for trial in trials)
        if default is not None and not climbs and not has_baseline and fits(default):
            return dict(default)
        first = next((each for each in self._first if not points.has(each) and fits(each)), None)
        if first is not None:
            return first
        known = self._known(trials, climbs)
        number = next_number(trials)
        return points.fresh(number, lambda attempt: self._proposals.draw(number, attempt, known), fits)

    def _known(self, trials: Sequence[Trial], climbs: Sequence[Climb]) -> Known:
        baselines = [trial for trial in trials if trial.is_baseline and not trial.forgotten]
        able = [trial for trial in baselines if self._ladders.can_tell(trial.assignments)]
        whole = [climb(trial, self._ladders.steps(trial.assignments)) for trial in able]
        running = [each.trial.assignments for each in climbs if each.trial.condition.open and not each.results]
        return Known(self._tried([*self._ranked_along, *whole, *climbs]), running)

    def _tried(self, climbs: Sequence[Climb]) -> list[tuple[Assignments, Score]]:
        """Assignments and score of each that has one."""
        scores = Ranking(self._problem.objective, climbs).scores(self._rungs)
        return [(each.trial.assignments, scores[each.trial.name]) for each in climbs if each.trial.name in scores]
