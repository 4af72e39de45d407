"""From a run to Optuna's studies: states, values, parameters, curves, and what only a broken run has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from boxtune.dashboard.following import ClusterSource, FolderSource
from boxtune.dashboard.storage import ReadOnlyError, RunStorage
from boxtune.errors import RunFolderError, Unreachable
from boxtune.experiment.experiment import parse_experiment
from boxtune.local.recording import record_run
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from tests.experiments import shell_experiment

STARTED, ENDED = "2026-11-25T10:00:00Z", "2026-11-25T10:01:30Z"


def trial(number: int, condition: Condition, value: str = "", **more: Any) -> Trial:
    """One of a search for `score` over `x`."""
    attempt = Attempt(STARTED) if condition.open else Attempt(STARTED, ENDED, None, 90.0, 0)
    made: dict[str, Any] = {
        "assignments": {"x": "0.5"},
        "condition": condition,
        "attempts": (attempt,),
        "observation": {"score": Metric("score", value, value, value)} if value else {},
    }
    return Trial(f"shell-{number:04d}", Role.SUGGESTED, number - 1, **{**made, **more})


def run_of(*trials: Trial, spec: dict[str, Any] | None = None, **more: Any) -> Run:
    """A run of these trials."""
    experiment = parse_experiment(shell_experiment(**(spec or {})), {})
    return replace(Run(experiment, trials, None, RunCondition.RUNNING, "Experiment is running", STARTED), **more)


def storage_of(run: Run) -> RunStorage:
    """Of a run that stays as it is."""
    return RunStorage(lambda: run)


def trials_of(run: Run, study: int = 1) -> Any:
    """As Optuna has them."""
    return storage_of(run).get_all_trials(study, deepcopy=False)


def test_conditions_have_their_states_and_only_what_counts_has_a_value() -> None:
    conditions = [
        (Condition.CREATED, TrialState.WAITING),
        (Condition.RUNNING, TrialState.RUNNING),
        (Condition.PAUSED, TrialState.RUNNING),
        (Condition.SUCCEEDED, TrialState.COMPLETE),
        (Condition.EARLY_STOPPED, TrialState.PRUNED),
        (Condition.FAILED, TrialState.FAIL),
        (Condition.METRICS_UNAVAILABLE, TrialState.FAIL),
        (Condition.KILLED, TrialState.FAIL),
    ]
    made = [trial(place, condition, "0.25") for place, (condition, _) in enumerate(conditions, 1)]
    found = trials_of(run_of(*made))
    assert [each.state for each in found] == [state for _, state in conditions]
    assert [each.values for each in found] == [None, None, None, [0.25], [0.25], None, None, None]
    assert found[0].system_attrs["fixed_params"] == {"x": 0.5}  # what the page shows of one that waits
    for each in found:
        each._validate()
    over = trials_of(run_of(*made, condition=RunCondition.SUCCEEDED, ended=ENDED))
    assert (over[2].state, over[2].values) == (TrialState.PRUNED, [0.25])


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "unavailable", "many"])
def test_a_value_that_is_none_makes_no_complete_trial(value: str) -> None:
    run = run_of(trial(1, Condition.SUCCEEDED, value), trial(2, Condition.SUCCEEDED, "0.5"))
    first, second = trials_of(run)
    assert (first.state, first.values) == (TrialState.FAIL, None)
    assert storage_of(run).get_best_trial(1) == second
    with pytest.raises(ValueError, match="no trial is measured"):
        storage_of(run_of(run.trials[0])).get_best_trial(1)


def test_the_best_is_that_of_the_run_stopped_early_or_not() -> None:
    objective = {"objective": {"type": "minimize", "objectiveMetricName": "score"}}
    run = run_of(
        trial(1, Condition.SUCCEEDED, "0.3"),
        trial(2, Condition.EARLY_STOPPED, "0.1"),
        trial(3, Condition.SUCCEEDED, "0.1"),
        spec=objective,
    )
    storage = storage_of(run)
    assert storage.get_study_directions(1) == [StudyDirection.MINIMIZE]
    assert run.optimal is not None
    assert storage.get_best_trial(1).user_attrs["name"] == run.optimal.name == "shell-0002"


def test_parameters_keep_their_own_values() -> None:
    def space(low: str, high: str, **more: str) -> dict[str, str]:
        return {"min": low, "max": high, **more}

    parameters = [
        {"name": "rate", "parameterType": "double",
         "feasibleSpace": space("0.0001", "0.1", distribution="logNormal")},
        {"name": "noise", "parameterType": "double", "feasibleSpace": space("-2", "2", distribution="normal")},
        {"name": "size", "parameterType": "int", "feasibleSpace": space("2", "8", step="2")},
        {"name": "steps", "parameterType": "int", "feasibleSpace": space("1", "1000", distribution="logUniform")},
        {"name": "batch", "parameterType": "discrete", "feasibleSpace": {"list": ["8", "16"]}},
        {"name": "kind", "parameterType": "categorical", "feasibleSpace": {"list": ["<b>a</b>", "信 号"]}},
    ]  # fmt: skip
    values = {"rate": "0.003", "noise": "1.5", "size": "4", "steps": "30", "batch": "16.0", "kind": "信 号"}
    outside = {"rate": "0.5", "noise": "-7", "size": "11", "steps": "3000", "batch": "8", "kind": "<b>a</b>"}
    wanting = {"rate": "0.001", "kind": "unknown"}
    run = run_of(
        trial(1, Condition.SUCCEEDED, "0.1", assignments=values),
        trial(2, Condition.SUCCEEDED, "0.2", assignments=outside),
        baseline=replace(trial(3, Condition.SUCCEEDED, "0.3"), role=Role.BASELINE, number=None, assignments=wanting),
        spec={"parameters": parameters},
    )
    first, second = trials_of(run)
    assert first.params == {"rate": 0.003, "noise": 1.5, "size": 4, "steps": 30, "batch": "16", "kind": "信 号"}
    assert second.params == {"rate": 0.5, "noise": -7.0, "size": 11, "steps": 3000, "batch": "8", "kind": "<b>a</b>"}
    assert first.distributions == second.distributions == {
        "rate": FloatDistribution(0.0001, 0.5, log=True),
        "noise": FloatDistribution(-7.0, 2.0),
        "size": IntDistribution(2, 11),
        "steps": IntDistribution(1, 3000, log=True),
        "batch": CategoricalDistribution(("8", "16")),
        "kind": CategoricalDistribution(("<b>a</b>", "信 号")),
    }  # fmt: skip
    for each in (first, second):
        each._validate()
    (base,) = trials_of(run, 2)
    assert base.params == {"rate": 0.001}
    assert base.user_attrs["kind"] == "unknown"


def test_the_base_config_and_repeats_are_studies_of_their_own() -> None:
    base = replace(trial(9, Condition.SUCCEEDED, "0.9"), role=Role.BASELINE, number=None, name="shell-baseline")
    repeat = replace(trial(8, Condition.SUCCEEDED, "0.8"), role=Role.REPEAT, number=None, seed=4, repeats="shell-0001")
    storage = storage_of(run_of(trial(1, Condition.SUCCEEDED, "0.1"), baseline=base, repeats=(repeat,)))
    assert [each.study_name for each in storage.get_all_studies()] == [
        "shell", "shell (base config)", "shell (repeats)",
    ]  # fmt: skip
    assert storage.get_study_user_attrs(1)["base config"] == "shell-baseline: score 0.9"
    assert storage.get_best_trial(1).value == 0.1
    (shown,) = storage.get_all_trials(3)
    assert (shown.user_attrs["seed"], shown.user_attrs["repeats"]) == (4, "shell-0001")
    every = [each for study in (1, 2, 3) for each in storage.get_all_trials(study)]
    assert len({each._trial_id for each in every}) == 3
    assert [storage.get_trial(each._trial_id) for each in every] == every
    assert storage.get_study_id_from_name("shell (repeats)") == 3
    with pytest.raises(KeyError):
        storage.get_trial(21)


def test_curves_come_from_what_there_is(tmp_path: Path) -> None:
    def left(name: str, rows: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "trial.json").write_text("{}")
        (folder / "pipeline.config").write_text("")
        (folder / "metrics.json").write_text(rows)
        return folder

    rows = [{"step": step, "timestamp": STARTED, "metrics": {"score": step / 100}} for step in (10, 20)]
    metric = {"score": Metric("score", "0.4", "0.4", "0.4")}
    attempts = (Attempt(STARTED, ENDED, 7, 1.0, 0, metric), Attempt(STARTED, ENDED, None, 1.0, 0, metric))
    run = run_of(
        trial(1, Condition.RUNNING, folder=left("rows", json.dumps(rows))),
        trial(2, Condition.SUCCEEDED, "0.4", folder=left("damaged", "{"), attempts=attempts),
        trial(3, Condition.SUCCEEDED, "0.4", first_values=(0.1, 0.2)),
        trial(4, Condition.CREATED, attempts=()),
    )
    storage = storage_of(run)
    assert [each.intermediate_values for each in storage.get_all_trials(1)] == [
        {10: 0.1, 20: 0.2}, {7: 0.4}, {1: 0.1, 2: 0.2}, {},
    ]  # fmt: skip
    rows.append({"step": 30, "timestamp": STARTED, "metrics": {"score": 0.3, "other": 1.0}})
    (tmp_path / "rows" / "metrics.json").write_text(json.dumps(rows))
    storage.refresh()  # the journal says nothing of it: the trial is still running
    assert storage.get_trial(storage.get_trial_id_from_study_id_trial_number(1, 1)).intermediate_values[30] == 0.3


def test_a_shared_model_dir_gives_each_trial_what_came_before_its_end(tmp_path: Path) -> None:
    shared = tmp_path / "0123456789abcdef-0"
    shared.mkdir()
    (shared / "pipeline.config").write_text("")
    moments = {10: "2026-11-25T10:00:30.000000Z", 30: "2026-11-25T10:05:00.000000Z"}
    rows = [{"step": step, "timestamp": moment, "metrics": {"score": 0.1}} for step, moment in moments.items()]
    (shared / "metrics.json").write_text(json.dumps(rows))
    made = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "model_dir").symlink_to(shared)
        made.append(trial(number, Condition.SUCCEEDED, "0.1", folder=folder))
    later = Attempt("2026-11-25T10:02:00.000000Z", "2026-11-25T10:06:00.000000Z", None, 90.0, 0)
    found = trials_of(run_of(made[0], replace(made[1], attempts=(later,))))
    assert [list(each.intermediate_values) for each in found] == [[10], [10, 30]]


def test_times_that_are_none_are_left_out() -> None:
    (found,) = trials_of(run_of(trial(1, Condition.SUCCEEDED, "0.1", attempts=(Attempt("soon", "later"),))))
    assert (found.datetime_start, found.datetime_complete) == (None, None)


def test_the_storage_itself_refuses_to_write() -> None:
    storage = storage_of(run_of(trial(1, Condition.RUNNING)))
    (found,) = storage.get_all_trials(1)
    writes: list[Callable[[], object]] = [
        lambda: storage.create_new_study([StudyDirection.MINIMIZE], "new"),
        lambda: storage.delete_study(1),
        lambda: storage.create_new_trial(1),
        lambda: storage.set_trial_state_values(found._trial_id, TrialState.FAIL),
        lambda: storage.set_trial_intermediate_value(found._trial_id, 1, 0.1),
        lambda: storage.set_trial_param(found._trial_id, "x", 0.1, FloatDistribution(0, 1)),
        lambda: storage.set_trial_user_attr(found._trial_id, "a", 1),
        lambda: storage.set_trial_system_attr(found._trial_id, "a", 1),
        lambda: storage.set_study_user_attr(1, "a", 1),
        lambda: storage.set_study_system_attr(1, "a", 1),
    ]
    for write in writes:
        with pytest.raises(ReadOnlyError, match="not changed"):
            write()


def test_another_run_in_the_same_folder_is_not_shown_as_this_one(tmp_path: Path) -> None:
    first, other = (run_of(trial(1, Condition.SUCCEEDED, "0.5"), started=time) for time in (STARTED, ENDED))
    record_run(first, tmp_path / "run")
    source = FolderSource(tmp_path / "run")
    assert source().started == STARTED
    shutil.rmtree(tmp_path / "run")
    record_run(other, tmp_path / "run")
    for _ in range(2):
        with pytest.raises(RunFolderError, match="another run lies here now"):
            source()


def test_a_cluster_is_not_asked_at_each_request_and_may_be_away() -> None:
    run, asked = run_of(trial(1, Condition.RUNNING)), list[int]()

    def fetch() -> Run:
        asked.append(1)
        if len(asked) == 2:
            raise Unreachable("the cluster does not answer")
        return replace(run)

    seldom = ClusterSource(fetch, seconds=1000)
    assert seldom() is seldom()
    assert len(asked) == 1
    always = ClusterSource(fetch, seconds=0)
    with pytest.raises(Unreachable):
        always()
    first = always()
    assert always() is first  # nothing has happened
