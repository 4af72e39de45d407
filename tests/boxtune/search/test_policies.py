"""What every policy must do: one suite for all of them."""

from __future__ import annotations

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.space import Assignments, ParameterSpec, inside
from boxtune.runs.trial import Condition, Trial
from boxtune.search.catalogue import ALGORITHMS as CATALOGUE
from boxtune.search.catalogue import create_policy
from boxtune.search.policy import Suggestion, Surroundings
from tests.boxtune.search.story import (
    ALGORITHMS,
    ENDLESS,
    FINITE,
    SEEDED,
    SHORT,
    SMALL,
    SPACE,
    Story,
    experiment,
    play,
    value_of,
)
from tests.boxtune.search.workers import Workers


@pytest.mark.parametrize("algorithm", ENDLESS)
def test_every_value_lies_in_its_space_and_on_its_grid(algorithm: str) -> None:
    for assignments in play(Story(experiment(algorithm)), SHORT.get(algorithm, 40)):
        assert inside(SPACE, assignments)
        assert set(assignments) == {spec.name for spec in SPACE}
        assert assignments["batch"] in ("8", "16", "32", "64")
        assert assignments["iou"] in ("0.4", "0.45", "0.5", "0.55", "0.6", "0.65", "0.7")
        assert (int(assignments["layers"]) - 1) % 3 == 0
        assert assignments["power"] == str(int(assignments["power"]))
        assert len(assignments["fine"]) <= 5
        assert len(assignments["stepped_bell"]) == 3
        assert assignments["one"] == "0.5"


@pytest.mark.parametrize("algorithm", SEEDED)
def test_another_seed_suggests_something_else(algorithm: str) -> None:
    first, other = (play(Story(experiment(algorithm, settings={"random_state": seed})), 8) for seed in ("1", "7"))
    assert first != other


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_suggestion_is_a_function_of_the_trials_alone(algorithm: str) -> None:
    """Asked twice, asked by a policy that has seen nothing, and asked by one that has seen another story."""
    story, other = Story(experiment(algorithm)), Story(experiment(algorithm))
    play(other, 6)
    for number in range(SHORT.get(algorithm, 20)):
        suggested = story.suggest()
        assert story.suggest() == suggested
        assert story.fresh().suggest() == suggested
        other.trials = dict(story.trials)
        assert other.suggest() == suggested
        assignments = story.ask()
        assert assignments == suggested
        if number % 3:  # some go on running while others are asked for
            story.tell(number, None if number % 5 == 0 else value_of(assignments))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_trial_that_was_killed_with_its_run_tells_nothing(algorithm: str) -> None:
    """As one that is forgotten: it was neither good nor bad, and its point may come again."""
    killed, forgotten = (Story(experiment(algorithm)) for _ in range(2))
    for story in (killed, forgotten):
        play(story, 9)
        for _ in range(2):
            story.ask()
        story.suggest()  # told that they run
    for number in (9, 10):
        killed.end(number, condition=Condition.KILLED)
        forgotten.end(number, condition=Condition.FAILED, forgotten=True)
    assert killed.suggest() == forgotten.suggest() == killed.fresh().suggest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trials_that_end_in_another_order_make_another_story_of_the_same_kind(algorithm: str) -> None:
    story = Story(experiment(algorithm))
    story.observe(play(Story(experiment(algorithm)), 1)[0], 0.25)
    play(story, 12)
    for _ in range(3):
        story.ask()
    story.tell(14, -0.5)
    assert story.fresh().suggest() == story.suggest()
    story.tell(12, None)
    story.tell(13, 0.75)
    assert story.fresh().suggest() == story.suggest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parallel_suggestions_differ(algorithm: str) -> None:
    story = Story(experiment(algorithm))
    play(story, 15)
    asked = [story.ask() for _ in range(8)]
    assert len({tuple(assignments.items()) for assignments in asked}) == 8


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_finite_space_is_searched_without_repeating_and_to_its_end(algorithm: str) -> None:
    story = Story(experiment(algorithm, SMALL))
    seen = []
    for number in range(12):
        assignments = story.ask()
        seen.append(tuple(assignments.values()))
        story.tell(number, float(assignments["rate"]))
    assert len(set(seen)) == 12
    assert story.suggest() is None
    assert story.fresh().suggest() is None


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "cmaes"])
def test_a_space_with_one_point_has_one_suggestion(algorithm: str) -> None:
    story = Story(experiment(algorithm, (ParameterSpec("x", "int", 3, 3),)))
    assert story.ask() == {"x": "3"}
    assert story.suggest() is None
    with pytest.raises(ExperimentError, match="at least one parameter"):
        Story(experiment(algorithm, ()))


@pytest.mark.parametrize("algorithm", CATALOGUE)
def test_a_search_of_several_workers_is_a_function_of_its_trials(algorithm: str) -> None:
    """Each suggestion is also asked of a policy that has seen nothing, as after a kill; some trials fail."""
    settings = {"r_l": "9", "resource_name": "layers"} if algorithm == "hyperband" else {}
    searched = experiment(algorithm, FINITE, settings)

    class Watched:
        policy = create_policy(searched, Surroundings(lambda assignments: 9))

        def suggest(self, trials: list[Trial]) -> Suggestion | None:
            fresh = create_policy(searched, Surroundings(lambda assignments: 9))
            suggestion = self.policy.suggest(trials)
            assert fresh.suggest(trials) == suggestion
            return suggestion

    def measured(assignments: Assignments, number: int, step: int) -> dict[str, float] | None:
        return None if number % 5 == 0 else {"m": value_of(assignments)}

    workers = Workers(Watched(), measured, lambda assignments: 9, 3)  # type: ignore[arg-type]
    workers.run(20)
    assert len(workers.ended) == 20
    own = [spec for spec in FINITE if spec.name != "layers" or algorithm != "hyperband"]
    assert all(inside(own, trial.assignments) for trial in workers.trials.values())
    assert len({tuple(trial.assignments.items()) for trial in workers.trials.values()}) == len(workers.trials)
