"""Searches replayed on recorded learning curves: how many steps each algorithm takes to random search's best of 20.

Each search is charged every step that it asks for, in trainings (a whole training is 1); what goes on from a checkpoint
is charged for what is new. Every search tries the base config's own values first. Two things are waited for, each as
good as random search's best of 20 in the median: a training that ended whole with such an mAP, which luck with seeds
brings nearer; and such an mAP to be expected, over all seeds, of the config that the search would hand over then.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import accumulate

import numpy as np
import optuna

from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.prior import PriorResult, PriorRun, PriorTrial
from boxtune.runs.trial import Metric
from boxtune.search.catalogue import find_algorithm
from boxtune.search.policy import SearchProblem, SettingValue, Suggestion, Surroundings
from tests.benchmarks import tao
from tests.benchmarks.curves import ASSUMED, WHOLE, LearningCurves
from tests.benchmarks.record_curves import DEFAULT, EVALUATIONS, SPACE
from tests.boxtune.search.workers import Workers

OBJECTIVE = Objective("mAP", True, None, ("total_loss",), {"mAP": "max", "total_loss": "min"})
BEST_OF = 20
EARLIER, EARLIER_SEEDS = 20, 50_000  # trainings of the search that a warm start is told of; where its luck begins
MOST = 30  # trainings until a search is given up
_TURNED = 10.0  # above every metric: what is subtracted from it has the opposite order, and stays above 0
PASSES = "passes"  # the parameter that hyperband sets: how many of the nine evaluations a trial trains to
EVERY = WHOLE // EVALUATIONS
TAO = "NVIDIA TAO, asha"  # where it is installed, as scripts/bench does


@dataclass(frozen=True)
class Ended:
    """A training that ended whole.

    Attributes:
        charged: trainings that the search had been charged until then.
        waited: time until then, in trainings of one worker.
        value: its mAP.
        worth: the mAP to be expected of its config.
    """

    charged: float
    waited: float
    value: float
    worth: float


@dataclass(frozen=True)
class Goal:
    """What a search is to come to; the first two without an end are never reached.

    Attributes:
        value: an mAP that is measured.
        worth: the mAP to be expected of the best one's config.
        most: trainings, of which no more are charged.
    """

    value: float = math.inf
    worth: float = math.inf
    most: float = MOST

    def lucky(self, ended: Sequence[Ended]) -> Ended | None:
        """The first that measured enough."""
        return next((each for each in ended if each.value >= self.value), None)

    def good(self, ended: Sequence[Ended]) -> Ended | None:
        """The first after which the best so far is worth enough."""
        best: Iterator[Ended] = accumulate(ended, _better)
        return next((each for each, held in zip(ended, best, strict=True) if held.worth >= self.worth), None)

    def is_over(self, ended: Sequence[Ended], charged: float) -> bool:
        return charged >= self.most or (self.lucky(ended) is not None and self.good(ended) is not None)


def _better(one: Ended, other: Ended) -> Ended:
    return other if other.value > one.value else one


Search = Callable[[int, Goal], list[Ended]]


@cache
def _curves() -> LearningCurves:
    return LearningCurves.read()


class _Trainings:
    """The trainings of one search: trial k's luck is the same whatever is asked of it first."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known: dict[int, list[Mapping[str, float]]] = {}

    def at(self, assignments: Assignments, number: int, step: int) -> Mapping[str, float]:
        if number not in self._known:
            own = {spec.name: assignments[spec.name] for spec in SPACE}
            self._known[number] = _curves().measured(own, np.random.default_rng([self._seed, number + 1]))
        return self._known[number][step // EVERY - 1]


def _problem(
    name: str,
    seed: int,
    space: tuple[ParameterSpec, ...],
    settings: Mapping[str, SettingValue],
    prior: Sequence[PriorRun] = (),
) -> Workers:
    surroundings = Surroundings(lambda assignments: WHOLE, MOST * WHOLE, DEFAULT, prior)
    problem = SearchProblem(space, OBJECTIVE, settings, seed, None, surroundings)
    return Workers(find_algorithm(name).policy(problem), _Trainings(seed).at, lambda assignments: WHOLE)


def _whole(name: str) -> Search:
    """A search whose trials are all trained whole."""

    def search(seed: int, goal: Goal) -> list[Ended]:
        workers = _problem(name, seed, SPACE, {})
        workers.begin(Suggestion(0, DEFAULT))
        while not goal.is_over(_ended(workers), workers.spent / WHOLE):
            workers.run(1)
        return _ended(workers)

    return search


def _asha(count: int, **settings: SettingValue) -> Search:
    def search(seed: int, goal: Goal) -> list[Ended]:
        workers = _problem("asha", seed, SPACE, settings)
        workers.count = count
        workers.run(until=lambda: goal.is_over(_ended(workers), 0.0))
        return _ended(workers)

    return search


def _warm(counts_less: str = "", misleads: bool = False) -> Search:
    """After another search of EARLIER trainings by asha, whose luck was its own.

    Args:
        counts_less: why its numbers are none of this search.
        misleads: whether what was good there is bad here.
    """

    def search(seed: int, goal: Goal) -> list[Ended]:
        before = _problem("asha", EARLIER_SEEDS + seed, SPACE, {})
        before.run(until=lambda: before.spent >= EARLIER * WHOLE)
        workers = _problem("asha", seed, SPACE, {}, [_told(before, counts_less, misleads)])
        workers.run(until=lambda: goal.is_over(_ended(workers), 0.0))
        return _ended(workers)

    return search


def _told(workers: Workers, counts_less: str, misleads: bool) -> PriorRun:
    """What a search has measured, as a warm start tells it."""

    def told(metric: Metric) -> Metric:
        turned = str(_TURNED - float(metric.latest))
        return Metric(metric.name, turned, turned, turned) if misleads else metric

    trials = []
    for trial in workers.trials.values():
        attempts = [attempt for attempt in trial.attempts if attempt.ended]
        results = tuple(
            PriorResult((attempt.steps or WHOLE) / WHOLE, tuple(map(told, attempt.observation.values())))
            for attempt in attempts
        )
        trials += [PriorTrial(trial.name, trial.assignments, results, counts_less)] if results else []
    return PriorRun("before", len(workers.trials), tuple(trials))


def _ended(workers: Workers) -> list[Ended]:
    whole = (each for each in workers.ended if each[2].attempts[-1].steps is None)
    return [
        Ended(spent / WHOLE, now / WHOLE, trial.value(OBJECTIVE) or 0.0, _worth(trial.assignments))
        for now, spent, trial in whole
    ]


def _worth(assignments: Assignments) -> float:
    return _worth_of(tuple(assignments[spec.name] for spec in SPACE))


@cache
def _worth_of(values: tuple[str, ...]) -> float:
    return _curves().worth(dict(zip((spec.name for spec in SPACE), values, strict=True)))


def _hyperband(seed: int, goal: Goal) -> list[Ended]:
    """Katib's, over the number of evaluations, after a baseline; begun anew once it has come to its end."""
    default = _Trainings(seed).at(DEFAULT, -1, WHOLE)["mAP"]
    ended, charged = [Ended(1.0, 1.0, default, _worth(DEFAULT))], 1.0
    for again in range(MOST):
        if goal.is_over(ended, charged):
            break
        charged = _one_hyperband(seed * MOST + again, charged, ended)
    return ended


def _one_hyperband(seed: int, charged: float, ended: list[Ended]) -> float:
    space = (*SPACE, ParameterSpec(PASSES, "int", 1.0, float(EVALUATIONS)))
    settings: dict[str, SettingValue] = {"r_l": float(EVALUATIONS), "eta": 3.0, "resource_name": PASSES}
    workers = _problem("hyperband", seed, space, settings)
    furthest: dict[tuple[str, ...], int] = {}
    numbers: dict[tuple[str, ...], int] = {}
    trainings = _Trainings(seed)

    def curve(assignments: Assignments, number: int, step: int) -> Mapping[str, float]:
        nonlocal charged
        key = tuple(assignments[spec.name] for spec in SPACE)
        passes = int(assignments[PASSES])
        charged += max(passes - furthest.get(key, 0), 0) / EVALUATIONS
        furthest[key] = max(passes, furthest.get(key, 0))
        found = trainings.at(assignments, numbers.setdefault(key, len(numbers)), passes * EVERY)
        if passes == EVALUATIONS:
            ended.append(Ended(charged, charged, found["mAP"], _worth(assignments)))
        return found

    workers.curve = curve
    workers.run()
    return charged


def _optuna(pruner: Callable[[], optuna.pruners.BasePruner]) -> Search:
    """Optuna's TPE with one of its pruners, which are asked at every evaluation."""

    def search(seed: int, goal: Goal) -> list[Ended]:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=seed)
        # Hyperband's pruner chooses a trial's bracket by the study's name.
        study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner(), study_name=str(seed))
        study.enqueue_trial({name: _typed(name, value) for name, value in DEFAULT.items()})
        trainings, ended, charged = _Trainings(seed), list[Ended](), 0.0
        while not goal.is_over(ended, charged):
            trial = study.ask()
            assignments = {spec.name: str(_suggested(trial, spec)) for spec in SPACE}
            for place in range(1, EVALUATIONS + 1):
                charged += 1 / EVALUATIONS
                value = trainings.at(assignments, trial.number, place * EVERY)["mAP"]
                trial.report(value, place)
                if place < EVALUATIONS and trial.should_prune():
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                    break
            else:
                study.tell(trial, value)
                ended.append(Ended(charged, charged, value, _worth(assignments)))
        return ended

    return search


def _suggested(trial: optuna.Trial, spec: ParameterSpec) -> object:
    if spec.values:
        return trial.suggest_categorical(spec.name, spec.values)
    return trial.suggest_float(spec.name, spec.low, spec.high, log=spec.distribution == "logUniform")


def _typed(name: str, value: str) -> str | float:
    return value if next(spec for spec in SPACE if spec.name == name).values else float(value)


def _tao(seed: int, goal: Goal) -> list[Ended]:
    """NVIDIA TAO's asha, with its default rungs of 1/9, 1/3 and 1."""
    curves, ended, charged = _Trainings(seed), list[Ended](), 0.0

    def measured(assignments: Assignments, number: int, evaluations: int) -> float:
        return curves.at(assignments, number, evaluations * EVERY)["mAP"]

    for assignments, before, target, value in tao.trainings(seed, SPACE, DEFAULT, EVALUATIONS, 3, measured):
        charged += (target - before) / EVALUATIONS
        if target == EVALUATIONS:
            ended.append(Ended(charged, charged, value, _worth(assignments)))
        if goal.is_over(ended, charged):
            break
    return ended


SEARCHES: dict[str, Search] = {
    "random": _whole("random"),
    "bayesianoptimization": _whole("bayesianoptimization"),
    "hyperband": _hyperband,
    "asha": _asha(1),
    "asha, two workers": _asha(2),
    "asha, warm start": _warm(),
    "asha, warm start from other data, the same order": _warm("on other data"),
    "asha, warm start from other data, the order turned round": _warm("on other data", misleads=True),
    "Optuna, TPE with Hyperband": _optuna(lambda: optuna.pruners.HyperbandPruner(1, EVALUATIONS, 3)),
    "Optuna, TPE with successive halving": _optuna(lambda: optuna.pruners.SuccessiveHalvingPruner(1, 3)),
} | ({TAO: _tao} if find_spec("tao_automl") is not None else {})


def _one(job: tuple[str, int, Goal]) -> tuple[Ended, Ended]:
    """The trainings that were lucky and good enough."""
    name, seed, goal = job
    warnings.simplefilter("ignore")
    ended = SEARCHES[name](seed, goal)
    never = Ended(math.inf, math.inf, 0.0, 0.0)
    return goal.lucky(ended) or never, goal.good(ended) or never


def _best_of(seed: int) -> Ended:
    return max(SEARCHES["random"](seed, Goal(most=BEST_OF)), key=lambda each: each.value)


def _quartiles(found: Sequence[float]) -> tuple[float, str]:
    """The median, and all three in words."""
    low, middle, high = (float(each) for each in np.quantile(found, (0.25, 0.5, 0.75), method="nearest"))
    return middle, f"{_trainings(middle)} ({_trainings(low)} to {_trainings(high)})"


def _trainings(many: float) -> str:
    return f"above {MOST}" if math.isinf(many) else f"{many:.1f}"


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=200, help="of each algorithm")
    parser.add_argument("--only", nargs="*", default=list(SEARCHES), choices=list(SEARCHES), metavar="NAME")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    curves, many = _curves(), given.searches
    seeds = "two seeds" if curves.has_seeds else f"one seed (another is assumed to differ by {ASSUMED:.0%} of mAP)"
    with ProcessPoolExecutor(given.processes) as pool:
        best = list(pool.map(_best_of, range(10_000, 10_000 + many), chunksize=8))
        goal = Goal(statistics.median(each.value for each in best), statistics.median(each.worth for each in best))
        print(f"{curves.recorded} recorded configs, {seeds}; {many} searches an algorithm. Random search's best of")
        print(f"{BEST_OF} measures an mAP of {goal.value:.3f} in the median, and is worth {goal.worth:.3f}. Trainings")
        print("charged until as much is measured, and until what would be handed over is worth it (and quartiles):\n")
        print("| | measured | of random's | worth | of random's | waited for, worth |")
        print(f"|{' --- |' * 6}")
        randoms = (math.nan, math.nan)
        for name in dict.fromkeys(("random", *given.only)):
            found = list(pool.map(_one, [(name, seed, goal) for seed in range(many)], chunksize=4))
            lucky, lucky_words = _quartiles([each.charged for each, _ in found])
            good, good_words = _quartiles([each.charged for _, each in found])
            waited, _ = _quartiles([each.waited for _, each in found])
            randoms = (lucky, good) if name == "random" else randoms
            ratios = [f"{one / other:.2f}" for one, other in zip((lucky, good), randoms, strict=True)]
            print(f"| {name} | {lucky_words} | {ratios[0]} | {good_words} | {ratios[1]} | {_trainings(waited)} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
