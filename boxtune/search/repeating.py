"""Repeating: which trainings, with seeds of their own, tell whether what a search found is real.

The best of a search is too good by selection, so nothing of the search is part of the estimate. The best three configs
are trained once more each, and the base config; the winner by both values together, and the base config, are trained
until there are as many fresh trainings of each as were asked for. In simulations of a search of twenty the value that
the search reports held the truth in 78 of 100 at a nominal 90 %, and these in 90.

A pure function of the run, as every policy: whoever was cut off goes on.
"""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments
from boxtune.runs.confirmation import Confirmation, Contender, Sample
from boxtune.runs.run import Run
from boxtune.runs.trial import Trial, baseline_name

MOST_CONTENDERS = 3
_IS_BASE = "nothing that the search found won over the base config's own values"
_SEEDS = 2**31  # what any program takes


@dataclass(frozen=True)
class Config:
    """What may be repeated.

    Attributes:
        name: of the first trial that had it; the baseline's name for the base config.
        assignments: its values.
    """

    name: str
    assignments: Assignments


def base_of(run: Run, own_values: Callable[[], Assignments | None]) -> Config | None:
    """The base config; None where there is nothing to compare with.

    Args:
        own_values: of it, for a run without a baseline; None where they cannot be seen.
    """
    if run.baseline is not None:
        return None if run.baseline.condition.failed else Config(run.baseline.name, run.baseline.assignments)
    assignments = own_values()
    return Config(baseline_name(run.experiment.name), assignments) if assignments is not None else None


@dataclass(frozen=True)
class Repeat(Config):
    """A training to be begun.

    Attributes:
        name: its own.
        repeats: the name of the config.
        seed: of everything random in it.
    """

    repeats: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """How far it is.

    Attributes:
        contenders: the best of the search, the best first.
        base: the base config; None where there is none to compare with.
        winner: None until each contender's first repeat has ended, and where all of them failed.
        missing: what is to be begun, in this order.
    """

    contenders: tuple[Contender, ...]
    base: Config | None
    winner: Config | None
    missing: tuple[Repeat, ...]


def plan(run: Run, base: Config | None, repeats: int, forgiven: Collection[str] = ()) -> Plan:
    """What is to be trained next.

    Args:
        base: the base config's own values, or None.
        repeats: how many fresh trainings of the winner and of the base config; one that failed is made up for by none.
        forgiven: names of repeats that failed before, in whose place others are made.
    """
    found = _found(run, base)
    wanted = partial(_wanted, run, forgiven)
    first = [each for config, _ in found for each in wanted(config, 1)]
    missing = [*first, *(wanted(base, repeats, first) if base is not None else ())]
    contenders = tuple(Contender(config.name, value, _first_value(run, config)) for config, value in found)
    winner = None
    if not first and all(_of(run, config.name, forgiven)[0].condition.ended for config, _ in found):
        configs = {config.name: config for config, _ in found}
        won = _winner(contenders, run.experiment.objective)
        winner = configs[won.trial] if won is not None else None
    if winner is not None:
        missing.extend(wanted(winner, repeats, missing))
    return Plan(contenders, base, winner, tuple(missing))


def confirmed(run: Run, found: Plan, alone: str) -> Confirmation | None:
    """What the repeats have given, by what the trials themselves have measured; None where too few of them were.

    Args:
        found: the plan, of which nothing is missing.
        alone: why there is no base config; empty where there is one.
    """
    if found.winner is None:
        return None
    objective, is_base = run.experiment.objective, found.winner == found.base
    base = None if is_base else found.base
    made = Confirmation(
        objective.metric,
        objective.maximize,
        found.contenders,
        sample(run, found.winner),
        sample(run, base) if base is not None else None,
        alone=_IS_BASE if is_base else alone,
        winner_is_base=is_base,
        trials=sum(trial.condition.ended for trial in run.trials),
    )
    return made if made.is_whole else None


def sample(run: Run, config: Config, forgiven: Collection[str] = ()) -> Sample:
    """The fresh trainings of a config that have ended, with the values that the trials themselves have measured."""
    ended = [trial for trial in _of(run, config.name, forgiven) if trial.condition.ended]
    values = {trial.name: trial.measured_value(run.experiment.objective) for trial in ended}
    measured = {name: value for name, value in values.items() if value is not None}
    return Sample(config.name, measured, len(values) - len(measured))


def _found(run: Run, base: Config | None) -> list[tuple[Config, float]]:
    """The best configs of the search, each with the mean of its trials' values; the best first, of equals the first."""
    objective = run.experiment.objective
    configs: dict[str, Config] = {}
    values: dict[str, list[float]] = {}
    for trial in run.trials:
        value = trial.measured_value(objective)
        if value is not None:
            config = _config(trial, base)
            configs.setdefault(config.name, config)
            values.setdefault(config.name, []).append(value)
    found = [(configs[name], statistics.fmean(each)) for name, each in values.items()]
    return objective.best_first(found, lambda pair: pair[1])[:MOST_CONTENDERS]


def _config(trial: Trial, base: Config | None) -> Config:
    """What a trial of the search has tried: the base config too, where it was suggested."""
    if base is not None and (trial.same_as == base.name or trial.assignments == base.assignments):
        return base
    return Config(trial.same_as or trial.name, trial.assignments)


def _of(run: Run, name: str, forgiven: Collection[str]) -> list[Trial]:
    return [trial for trial in run.repeats if trial.repeats == name and trial.name not in forgiven]


def _first_value(run: Run, config: Config) -> float | None:
    """Of the first repeat that has one."""
    return next(iter(sample(run, config).values.values()), None)


def _winner(contenders: Sequence[Contender], objective: Objective) -> Contender | None:
    """By the score; of equals the one that the search found better. None where every contender is out."""
    return next(iter(objective.best_first(contenders, lambda each: each.score)), None)


def _wanted(
    run: Run, forgiven: Collection[str], config: Config, repeats: int, planned: Collection[Repeat] = ()
) -> Iterator[Repeat]:
    """The repeats of a config that are still to be made, beside those that are planned already."""
    soon = sum(each.repeats == config.name for each in planned)
    there = len(_of(run, config.name, forgiven)) + soon
    number = len(_of(run, config.name, ())) + soon
    for _ in range(there, repeats):
        number += 1
        name = f"{config.name}-repeat-{number}"
        yield Repeat(name, config.assignments, config.name, _seed(name))


def _seed(name: str) -> int:
    """A seed that nobody has chosen, and that is the same whenever it is asked for."""
    return zlib.crc32(name.encode()) % _SEEDS
