"""Which repeats are made, and 2,000 simulated searches: how often their interval holds the truth."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pytest

from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.runs.confirmation import Confirmation, Verdict
from boxtune.runs.difference import critical
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Condition, Metric, Role, Trial
from boxtune.search.repeating import Config, Repeat, confirmed, plan, sample
from tests.experiments import shell_experiment

BASE = Config("shell-baseline", {"x": "0.5"})
SEARCHES, TRIALS, REPEATS = 2000, 20, 3


def _experiment(kind: str) -> Experiment:
    return parse_experiment(shell_experiment(objective={"type": kind, "objectiveMetricName": "score"}), {})


MAXIMIZE, MINIMIZE = _experiment("maximize"), _experiment("minimize")


def _ended(name: str, value: float | None, repeats: str = "", x: str = "", number: int | None = None) -> Trial:
    return Trial(
        name,
        Role.REPEAT if repeats else Role.SUGGESTED,
        number,
        {"x": x},
        condition=Condition.FAILED if value is None else Condition.SUCCEEDED,
        observation={} if value is None else {"score": Metric("score", latest=repr(value))},
        repeats=repeats,
    )


def _run(values: Sequence[float | None], experiment: Experiment = MAXIMIZE) -> Run:
    trials = tuple(_ended(f"t{place}", value, x=str(place), number=place) for place, value in enumerate(values))
    return Run(experiment, trials, None, RunCondition.SUCCEEDED, "over", "2026-01-01T00:00:00Z")


def _repeated(run: Run, base: Config | None, train: Callable[[Repeat], float | None], repeats: int = REPEATS) -> Run:
    """The run once nothing is missing any more."""
    while (missing := plan(run, base, repeats).missing) and len(run.repeats) < 50:
        made = tuple(_ended(each.name, train(each), each.repeats, each.assignments["x"]) for each in missing)
        run = replace(run, repeats=(*run.repeats, *made))
    return run


def _confirmation(run: Run, base: Config) -> Confirmation:
    made = confirmed(run, plan(run, base, REPEATS), "")
    assert made is not None
    return made


def _trained(dice: random.Random, truth: Mapping[str, float], repeat: Repeat) -> float:
    return dice.gauss(truth[repeat.repeats], 1)


@pytest.mark.parametrize(
    ("spread", "experiment"),
    [(0.0, MAXIMIZE), (0.0, MINIMIZE), (0.5, MAXIMIZE), (1.0, MINIMIZE), (3.0, MAXIMIZE)],
    ids=["no difference", "no difference, minimized", "half", "one, minimized", "three"],
)
def test_interval_holds_the_truth(spread: float, experiment: Experiment) -> None:
    """At a nominal 90 %: at least 88 of 100, and without any difference at most 6.5 false wins."""
    dice = random.Random(f"{spread} {experiment.objective.maximize}")
    held = wins = naive = 0
    for _ in range(SEARCHES):
        truth = {f"t{place}": dice.gauss(0, spread) for place in range(TRIALS)} | {BASE.name: 0.0}
        run = _run([dice.gauss(truth[f"t{place}"], 1) for place in range(TRIALS)], experiment)
        run = _repeated(run, BASE, partial(_trained, dice, truth))
        made = _confirmation(run, BASE)
        true = truth[made.winner.trial] - truth[BASE.name]
        held += made.estimate.low <= true <= made.estimate.high
        wins += made.verdict is Verdict.BETTER
        # What a search reports: its best value less the baseline's, each of one training, the deviation known.
        best = run.optimal
        assert best is not None
        reported = (best.value(experiment.objective) or 0.0) - dice.gauss(truth[BASE.name], 1)
        naive += abs(reported - truth[best.name]) <= critical(1e9) * 2**0.5
    print(
        f"configs {spread:g} deviations of a seed apart: held {held / SEARCHES:.1%} (a search's own figure "
        f"{naive / SEARCHES:.1%}), better {wins / SEARCHES:.1%}"
    )
    assert held / SEARCHES >= 0.88
    assert spread or wins / SEARCHES <= 0.065
    assert naive < held


def _names(run: Run, base: Config | None, repeats: int = REPEATS) -> list[str]:
    return [each.name for each in plan(run, base, repeats).missing]


def test_the_best_three_and_the_base_come_first() -> None:
    run = _run([0.1, 0.5, None, 0.4, 0.45, 0.2])
    first = [f"{name}-repeat-1" for name in ("t1", "t4", "t3")]
    assert _names(run, BASE) == [*first, *(f"shell-baseline-repeat-{number}" for number in (1, 2, 3))]
    assert _names(run, None) == first
    assert [each.trial for each in plan(_run([0.1, 0.5, 0.3, 0.4], MINIMIZE), None, 3).contenders] == ["t0", "t2", "t3"]


def test_the_winner_is_the_best_by_both_values() -> None:
    """0.5 / 2 + 0.3 lies below 0.45 / 2 + 0.4."""
    values = {"t0": 0.3, "t1": 0.4, BASE.name: 0.2}
    run = _repeated(_run([0.5, 0.45]), BASE, lambda each: values[each.repeats])
    found = plan(run, BASE, REPEATS)
    assert found.winner is not None
    assert found.winner.name == "t1"
    assert [trial.name for trial in run.repeats if trial.repeats == "t0"] == ["t0-repeat-1"]
    assert len(sample(run, found.winner).values) == len(sample(run, BASE).values) == REPEATS
    assert not found.missing
    assert _names(run, BASE, 4) == ["shell-baseline-repeat-4", "t1-repeat-4"]
    assert len({each.seed for each in plan(_run([0.5, 0.45]), BASE, 9).missing}) == 11


def test_trials_of_one_config_are_one_contender() -> None:
    run = _run([0.5, 0.3, 0.2, 0.1])
    again = replace(run.trials[1], same_as="t0")
    found = plan(replace(run, trials=(run.trials[0], again, *run.trials[2:])), None, REPEATS)
    assert [(each.trial, each.found) for each in found.contenders] == [("t0", 0.4), ("t2", 0.2), ("t3", 0.1)]


def test_the_base_config_can_win() -> None:
    """It was suggested too: its repeats are the base config's, and nothing is trained twice."""
    run = _run([0.5, 0.4])
    run = replace(run, trials=(replace(run.trials[0], assignments=BASE.assignments), run.trials[1]))
    run = _repeated(run, BASE, lambda each: 0.5 if each.repeats == BASE.name else 0.3)
    assert plan(run, BASE, REPEATS).winner == BASE
    assert [trial.name for trial in run.repeats].count("t1-repeat-1") == 1
    assert len(run.repeats) == REPEATS + 1
    made = _confirmation(run, BASE)
    assert (made.winner_is_base, made.base, made.verdict) == (True, None, Verdict.NOT_COMPARED)


def test_what_fails_with_another_seed_is_out_and_what_failed_before_is_made_up_for() -> None:
    run = _repeated(_run([0.5, 0.4]), BASE, lambda each: None if each.repeats == "t0" else 0.4)
    found = plan(run, BASE, REPEATS)
    assert found.winner is not None
    assert (found.winner.name, found.contenders[0].fresh) == ("t1", None)
    assert plan(run, BASE, REPEATS, ["t0-repeat-1"]).winner is None
    assert [each.name for each in plan(run, BASE, REPEATS, ["t0-repeat-1"]).missing] == ["t0-repeat-2"]


def test_all_fail() -> None:
    run = _repeated(_run([0.5, 0.4]), None, lambda each: None)
    assert plan(run, None, REPEATS).winner is None
    assert not plan(run, None, REPEATS).missing
    assert confirmed(run, plan(run, None, REPEATS), "no base") is None
    assert not plan(_run([None]), None, REPEATS).contenders
