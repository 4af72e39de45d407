"""The rungs of each trial of a search in steps, which depend on how long its training is."""

from __future__ import annotations

from boxtune.errors import ExperimentError
from boxtune.experiment.space import Assignments
from boxtune.problems import error
from boxtune.runs.trial import Trial
from boxtune.search.cube import Cube
from boxtune.search.policy import SearchProblem, unknown_schedule
from boxtune.search.rungs import Shares, rung_steps, shortest_training
from boxtune.search.steps import steps_of

_WHERE = "spec.algorithm"


class Ladders:
    """Steps to train to at each rung, by assignments."""

    def __init__(self, problem: SearchProblem, shares: Shares) -> None:
        """Look at the shortest training of the space, where there is anything to tell lengths from.

        Raises:
            ExperimentError: lengths cannot be told, or it is too short for the rungs, or longer than the budget in
                steps.
        """
        self._shares = shares
        self._schedule = problem.surroundings.schedule
        self._shortest: int | None = None
        if self._schedule is unknown_schedule:  # an Experiment alone, as `boxtune check` has it
            return
        self._shortest = self._shortest_of(problem)
        whole, most = self._rungs_of(self._shortest)[-1], problem.surroundings.most_steps
        if most is not None and most < whole:
            what = f"{most} steps are no whole training, which takes {whole}, so no trial would be trained whole"
            raise ExperimentError(error("metadata.annotations.boxtune/max-steps", what, f"allow at least {whole}"))

    def steps(self, assignments: Assignments) -> tuple[int, ...]:
        """To train to at each rung; the last is the whole training. Assignments that make no config, which their trial
        will say when it is begun, have those of the shortest training.

        Raises:
            ExperimentError: how long trainings are cannot be told, or this one is too short.
        """
        whole = self._schedule(assignments)
        return self._rungs_of(self._shortest if whole is None else whole)

    def _rungs_of(self, whole: int | None) -> tuple[int, ...]:
        if whole is None:
            raise ExperimentError(
                error(
                    f"{_WHERE}.algorithmName",
                    "asha trains to shares of a schedule, and how many steps these trials have cannot be told: they "
                    "are not python -m trial_entry's, or their pipeline.config is not here",
                    "bring the config along with the Experiment, or use another algorithm",
                )
            )
        steps = rung_steps(self._shares, whole)
        if steps is None:
            rungs, least = ",".join(map(str, self._shares)), shortest_training(self._shares)
            what = f"two of the rungs {rungs} fall on the same step of a training of {whole} steps"
            raise ExperimentError(
                error(f"{_WHERE}.algorithmSettings", what, f"name fewer rungs, or train {least} steps or more")
            )
        return steps

    def can_tell(self, assignments: Assignments) -> bool:
        """Whether assignments have rungs: a baseline's need not be within the space."""
        whole = self._schedule(assignments)
        return whole is not None and rung_steps(self._shares, whole) is not None

    def asked(self, assignments: Assignments, rung: int) -> int | None:
        """What a suggestion says to train to a rung: None for the whole schedule."""
        steps = self.steps(assignments)
        return steps[rung] if rung < len(steps) - 1 else None

    def spent(self, trial: Trial) -> int:
        """The steps that a trial that is none of the search's own was asked to train; whole, before it is begun."""
        if not trial.attempts:
            return (self._schedule(trial.assignments) or 0) if trial.condition.open else 0
        return steps_of(trial, self._schedule) or 0

    def _shortest_of(self, problem: SearchProblem) -> int | None:
        """The steps of the shortest training, where each parameter by itself is at the end that makes it so; None
        where none can be told.
        """
        cube = Cube(problem.space)
        middle = problem.surroundings.default or cube.assignments(cube.middle)
        chosen, found = dict(middle), [self._schedule(middle)]
        for spec in problem.space:
            lengths = {end: self._schedule({**middle, spec.name: end}) for end in spec.ends}
            found += lengths.values()
            told = {end: length for end, length in lengths.items() if length is not None}
            chosen[spec.name] = min(told, key=lambda end: told[end], default=middle[spec.name])
        return min((length for length in [*found, self._schedule(chosen)] if length is not None), default=None)
