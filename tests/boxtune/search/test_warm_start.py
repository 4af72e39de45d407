"""Searches that are told of earlier runs: they begin where those ended, and are not led astray for long."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.prior import PriorResult, PriorRun, PriorTrial
from boxtune.runs.trial import Metric
from boxtune.search.algorithm import Teaches
from boxtune.search.catalogue import ALGORITHMS, find_algorithm
from boxtune.search.cube import Cube
from boxtune.search.gaussian_process import GaussianProcess
from boxtune.search.policy import SearchProblem, Surroundings
from boxtune.search.proposals import Earlier, Known, Proposals
from boxtune.search.ranking import Score
from boxtune.search.warm_start import promising
from tests.boxtune.search.story import LEARNING, SHORT
from tests.boxtune.search.workers import Workers

SPACE = (
    ParameterSpec("rate", "double", 1e-4, 1.0, None, (), "logUniform"),
    ParameterSpec("width", "double", 0.0, 1.0),
    ParameterSpec("kind", "categorical", values=("a", "b", "c")),
)
OBJECTIVE = Objective("mAP", True, None, (), {"mAP": "max"})
TOP = {"rate": 1e-2, "width": 0.8}
ELSEWHERE = {"rate": 0.5, "width": 0.1}
WHOLE = 9
WARM = [*LEARNING, "asha"]


def worth(assignments: Assignments, top: Mapping[str, float] = TOP) -> float:
    """0.5 at the top with kind b, less the farther away."""
    far = (math.log10(float(assignments["rate"])) - math.log10(top["rate"])) ** 2 / 2
    return 0.5 * math.exp(-far - 4 * (float(assignments["width"]) - top["width"]) ** 2) - 0.1 * (
        assignments["kind"] != "b"
    )


def metric(value: float) -> Metric:
    return Metric("mAP", repr(value), repr(value), repr(value))


def earlier(
    seed: int,
    count: int = 24,
    counts_less: str = "",
    value: Callable[[Assignments], float] = worth,
    shares: tuple[float, ...] = (1.0,),
) -> PriorRun:
    """A run of random search."""
    dice, cube = np.random.default_rng(seed), Cube(SPACE)
    trials = []
    for number in range(count):
        assignments = cube.assignments(dice.random(len(SPACE)))
        results = tuple(PriorResult(share, (metric(value(assignments) * share),)) for share in shares)
        trials.append(PriorTrial(f"t-{number}", assignments, results, counts_less))
    return PriorRun("/runs/a", count, tuple(trials))


def problem(*prior: PriorRun, seed: int = 0, space: tuple[ParameterSpec, ...] = SPACE) -> SearchProblem:
    return SearchProblem(space, OBJECTIVE, {}, seed, None, Surroundings(lambda _: WHOLE, None, None, prior))


def search(algorithm: str, searched: SearchProblem, trials: int) -> Workers:
    curve = lambda assignments, number, step: {"mAP": worth(assignments) * step / WHOLE}  # noqa: E731
    workers = Workers(find_algorithm(algorithm).policy(searched), curve, lambda _: WHOLE)
    workers.run(trials)
    return workers


def best(algorithm: str, searched: SearchProblem, trials: int) -> float:
    return max(worth(trial.assignments) for trial in search(algorithm, searched, trials).trials.values())


def test_those_that_learn_say_so() -> None:
    taught = {name for name in ALGORITHMS if find_algorithm(name).teaches is not Teaches.NOTHING}
    assert taught == set(WARM)


@pytest.mark.parametrize("algorithm", WARM)
@pytest.mark.parametrize("counts_less", ["", "on other data"])
def test_it_begins_with_the_best_that_there_was(algorithm: str, counts_less: str) -> None:
    run = earlier(1, counts_less=counts_less)
    ordered = sorted(run.trials, key=lambda each: worth(each.assignments), reverse=True)
    first = 3 if counts_less else 1
    workers = search(algorithm, problem(run), first)
    assert [trial.assignments for trial in workers.trials.values()] == [each.assignments for each in ordered[:first]]


@pytest.mark.parametrize("algorithm", WARM)
def test_it_is_ahead_of_a_search_that_knows_nothing(algorithm: str) -> None:
    told = [best(algorithm, problem(earlier(100 + seed), seed=seed), 8) for seed in range(6)]
    alone = [best(algorithm, problem(seed=seed), 8) for seed in range(6)]
    print(algorithm, statistics.median(told), statistics.median(alone))
    assert statistics.median(told) > statistics.median(alone) + 0.02


@pytest.mark.parametrize("algorithm", WARM)
def test_a_run_that_misleads_is_left(algorithm: str) -> None:
    """The earlier optimum is elsewhere: what is lost is a few trials, not the search."""
    trials = SHORT.get(algorithm, 24)
    misled, alone = [], []
    for seed in range(6):
        run = earlier(200 + seed, counts_less="on other data", value=lambda each: worth(each, ELSEWHERE))
        misled.append(best(algorithm, problem(run, seed=seed), trials))
        alone.append(best(algorithm, problem(seed=seed), trials))
    print(algorithm, statistics.median(misled), statistics.median(alone))
    assert statistics.median(misled) > statistics.median(alone) - 0.06


@pytest.mark.parametrize("algorithm", WARM)
def test_what_was_suggested_before_makes_no_difference(algorithm: str) -> None:
    run, searched = earlier(3), problem(earlier(3))
    assert run == searched.surroundings.prior[0]
    workers = search(algorithm, searched, 6)
    trials = list(workers.trials.values())
    for fresh in (workers.policy, find_algorithm(algorithm).policy(searched)):
        assert fresh.suggest(trials) == workers.policy.suggest(trials)


def test_what_the_search_begins_with_anyway_is_no_first_point() -> None:
    (best_known, *_) = promising(problem(earlier(1)))
    searched = problem(earlier(1))
    default = {name: f"{float(value)}" if name == "width" else value for name, value in best_known.items()}
    begun = replace(searched, surroundings=replace(searched.surroundings, default=default))
    assert promising(begun) == []


def test_asha_hears_what_rungs_say() -> None:
    """Paused trials alone teach it where to look."""
    run = earlier(5, shares=(1 / 9,))
    assert promising(problem(run)) == []
    told = [best("asha", problem(run, seed=seed), 4) for seed in range(6)]
    alone = [best("asha", problem(seed=seed), 4) for seed in range(6)]
    assert statistics.median(told) > statistics.median(alone)


def test_another_runs_zero_is_its_own() -> None:
    """The same scores with something added, in another run, say nothing new of this run's level."""
    dice = np.random.default_rng(0)
    points = dice.random((30, 2))
    scores = -4 * ((points - 0.5) ** 2).sum(axis=1)
    runs = np.repeat([0, 1], 15)
    asked = dice.random((5, 2))
    expected = [
        GaussianProcess(points, scores + added * runs, np.ones(30), [0, 1], runs).expect(asked)[0]
        for added in (0.0, 1.0)
    ]
    together = GaussianProcess(points, scores + 1.0 * runs, np.ones(30), [0, 1]).expect(asked)[0]
    own = np.abs(expected[1] - expected[0]).max()
    assert own < 0.25 < np.abs(together - expected[0]).max()


def test_asha_promotes_at_once_what_earlier_rungs_say_is_good() -> None:
    """Alone, three trials must have come to a rung before the best goes on; beside 24 earlier ones the first may."""
    run = earlier(5, shares=(1 / 9, 1 / 3, 1.0))
    told = search("asha", problem(run), 3)
    assert [each.steps for each in told.suggested] == [1, 3, None]
    assert len(told.trials) == 1
    assert len(search("asha", problem(counting_less(run, "on other data")), 3).trials) == 3
    assert len(search("asha", problem(), 3).trials) == 3


def scored(seed: int, count: int, top: Mapping[str, float], rung: int) -> list[tuple[Assignments, Score]]:
    """Points at random, each with the normal score of its rank."""
    dice, cube, normal = np.random.default_rng(seed), Cube(SPACE), statistics.NormalDist()
    ordered = sorted((cube.assignments(dice.random(len(SPACE))) for _ in range(count)), key=lambda one: worth(one, top))
    return [(each, Score(normal.inv_cdf((place + 0.5) / count), rung)) for place, each in enumerate(ordered)]


def test_own_trials_are_heard_beside_more_earlier_ones_than_a_model_takes() -> None:
    """Those have come to the top, of another optimum; the run's own are at the lowest rung."""
    drawn = []
    for seed in range(4):
        many = Earlier(scored(100 + seed, 400, ELSEWHERE, 2), counts_less=True)
        proposals = Proposals(problem(seed=seed), 0.0, 3, [many])
        drawn.append(worth(proposals.draw(1, 0, Known(scored(seed, 30, TOP, 0), []))))
    assert statistics.median(drawn) > 0.3


def counting_less(run: PriorRun, counts_less: str) -> PriorRun:
    return replace(run, trials=tuple(replace(each, counts_less=counts_less) for each in run.trials))
