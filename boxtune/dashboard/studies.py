"""From a run to what Optuna has for it: one study of the search's trials, and one each of the base config and of the
repeats, which are no trials of the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from boxtune.dashboard.parameters import Shown, shown_parameters
from boxtune.report.answer import answer, details
from boxtune.report.text import against_baseline, number
from boxtune.runs.curves import Curve
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial

SEARCH = 1  # the search's study; its page is .../studies/1
_STUDIES = 10  # more than a run has; so a trial's id is its number with the study's as its last digit

# Optuna has no state for a trial that is paused on the way. One that may go on runs, for the page draws the curve of
# what runs and asks for it again.
_STATES = {
    Condition.CREATED: TrialState.WAITING,
    Condition.RUNNING: TrialState.RUNNING,
    Condition.PAUSED: TrialState.RUNNING,
    Condition.SUCCEEDED: TrialState.COMPLETE,
    Condition.EARLY_STOPPED: TrialState.PRUNED,
}


@dataclass(frozen=True)
class Study:
    """One of Optuna's studies.

    Attributes:
        number: its id.
        name: unique among those of a run.
        direction: of the objective.
        metric: the objective's name.
        trials: in their order; counted from 1.
        best: the best of them that was measured, or None.
        about: what is said of the whole, by a word.
    """

    number: int
    name: str
    direction: StudyDirection
    metric: str
    trials: tuple[FrozenTrial, ...]
    best: FrozenTrial | None
    about: Mapping[str, str]


def study_of_trial(trial_id: int) -> int:
    """The id of the study that a trial belongs to, by the trial's id."""
    return trial_id % _STUDIES


def studies_of(run: Run, curves: Mapping[str, Curve]) -> dict[int, Study]:
    """The studies of a run by their ids, the search's first; those without a trial are left out.

    Args:
        curves: the objective by step, by the trial's name.
    """
    shown = shown_parameters(run)
    return {
        place: _study(run, place, part, shown, curves)
        for place, part in enumerate(_parts(run), SEARCH)
        if part.trials or place == SEARCH
    }


@dataclass(frozen=True)
class _Part:
    """What of a run makes a study."""

    name: str
    trials: Sequence[Trial]
    about: Mapping[str, str]


def _parts(run: Run) -> Sequence[_Part]:
    name = run.experiment.name
    baseline = [run.baseline] if run.baseline is not None else []
    repeats = {"what": "fresh trainings for boxtune confirm, no trials of the search"}
    return (
        _Part(name, run.trials, dict(_about(run))),
        _Part(f"{name} (base config)", baseline, {"what": "the base config's own values, no trial of the search"}),
        _Part(f"{name} (repeats)", run.repeats, repeats),
    )


def _study(run: Run, place: int, part: _Part, shown: Sequence[Shown], curves: Mapping[str, Curve]) -> Study:
    objective = run.experiment.objective
    frozen = tuple(
        _frozen(run, trial, count * _STUDIES + place, shown, curves.get(trial.name, {}))
        for count, trial in enumerate(part.trials, 1)
    )
    pairs = zip(part.trials, frozen, strict=True)
    ordered = objective.best_first(pairs, lambda pair: pair[0].measured_value(objective))
    best = ordered[0][1] if ordered else None
    direction = StudyDirection.MAXIMIZE if objective.maximize else StudyDirection.MINIMIZE
    return Study(place, part.name, direction, objective.metric, frozen, best, part.about)


def _frozen(run: Run, trial: Trial, trial_id: int, shown: Sequence[Shown], curve: Curve) -> FrozenTrial:
    """One trial as Optuna has it, counted from 1, as trials' names are."""
    state = _state(run, trial)
    values = [each for each in [trial.value(run.experiment.objective)] if each is not None]
    parameters = {
        each.name: (each.distribution, value) for each in shown if (value := each.value(trial.assignments)) is not None
    }
    choices = {name: value for name, (_, value) in parameters.items()}
    return FrozenTrial(
        number=trial_id // _STUDIES,
        state=state,
        value=None,
        values=values if state in (TrialState.COMPLETE, TrialState.PRUNED) and values else None,
        datetime_start=_moment(trial.started) if state is not TrialState.WAITING else None,
        datetime_complete=_moment(trial.ended or run.started) if state.is_finished() else None,
        params=choices,
        distributions={name: distribution for name, (distribution, _) in parameters.items()},
        user_attrs=dict(_attributes(run, trial, choices)),
        system_attrs={"fixed_params": choices} if state is TrialState.WAITING else {},
        intermediate_values=dict(curve),
        trial_id=trial_id,
    )


def _state(run: Run, trial: Trial) -> TrialState:
    if trial.condition.measured and trial.value(run.experiment.objective) is None:
        return TrialState.FAIL  # no number that counts: not a number, or an infinity
    if trial.condition is Condition.PAUSED and run.ended:
        return TrialState.PRUNED
    return _STATES.get(trial.condition, TrialState.FAIL)


def _attributes(run: Run, trial: Trial, choices: Mapping[str, object]) -> Iterator[tuple[str, float | str]]:
    """What else there is of a trial; numbers can be plotted and sorted by."""
    objective = run.experiment.objective
    yield "name", trial.name
    yield "condition", str(trial.condition) + (f" at step {trial.steps}" if trial.steps is not None else "")
    if trial.reason:
        yield "reason", trial.reason
    if not trial.condition.open:
        yield "seconds", trial.seconds
    if trial.seed is not None:
        yield "seed", trial.seed
    for word, other in (("same config as", trial.same_as), ("repeats", trial.repeats)):
        if other:
            yield word, other
    for name, text in trial.assignments.items():
        if name not in choices:
            yield name, text  # not of the search space: the base config's own values may lie outside
    for metric in objective.additional:
        value = trial.value(objective, metric)
        if value is not None:
            yield metric, value


def _about(run: Run) -> Iterator[tuple[str, str]]:
    """What is said of the whole search, as under the table of `boxtune show`."""
    objective = run.experiment.objective
    yield "state", f"{run.condition}: {run.message}"
    if run.waits:
        yield "no trial begins", run.waits
    if run.baseline is not None:
        value = run.baseline.value(objective)
        said = f"{objective.metric} {number(value)}" if value is not None else str(run.baseline.condition)
        yield "base config", f"{run.baseline.name}: {said}"
    if run.optimal is not None:
        yield "best", f"{run.optimal.name}: {objective.metric} {number(run.optimal.value(objective))}"
    compared = against_baseline(run)
    if compared:
        yield "compared", compared
    if run.optimal is not None and (run.ended or run.repeats):
        yield "answer", answer(run)
        said = "; ".join(details(run))
        if said:
            yield "by", said


def _moment(text: str) -> datetime | None:
    """In this machine's own time and without its zone, as Optuna writes its times; None where it is none."""
    try:
        return datetime.fromisoformat(text).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
