"""One earlier run beside the one that is to learn from it: which of its trials say what, and how much that counts.

A parameter is the earlier one's where both set the same alias or field. What the earlier run did not search, it had in
its own config all the same. Whether a trial's numbers are this run's does not depend on the names of files: this run
would have to make the very same config of it, and read the same records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

from boxtune.errors import BoxtuneError, InputError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.schedule import schedule_of
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.experiment.trial_command import TrialCommand
from boxtune.experiment.trial_config import TrialConfig, trial_config
from boxtune.local.state import RunState
from boxtune.local.template import Template
from boxtune.runs.prior import PriorResult, PriorRun, PriorTrial
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Condition, Metric, Role, Trial
from boxtune.search.algorithm import Teaches
from trial_entry.contract.metrics import TOTAL_LOSS
from trial_entry.contract.records import read_trial
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.inputs import named_paths
from trial_entry.pipeline_config.values import same_value
from trial_entry.records.dataset import data_digests

_BETWEEN = "of values between those of this space"
_HYPERBAND, _WHOLE, _RESOURCE = "hyperband", "r_l", "resource_name"


class _Unusable(Exception):  # noqa: N818 (a reason, no mistake)
    """A trial says nothing here; the text says why."""


class EarlierRun:
    """An earlier run, as far as another can learn from it."""

    def __init__(self, state: RunState, experiment: Experiment, template: Template) -> None:
        """
        Args:
            state: the earlier one's.
            experiment, template: of the run that is to learn.
        """
        self._state = state
        self._before, self._now = state.experiment, experiment
        self._template = template
        self._trials = _trials_of(self._before, state.volumes)
        shortened = state.options.get("num_steps")
        self._num_steps = shortened if isinstance(shortened, int) else None
        self._schedule = schedule_of(self._trials, self._num_steps)
        self._sets = _sets_of(self._before)
        self._matched = {spec.name: name for spec in experiment.parameters if (name := self._match(spec.name))}
        self._data: dict[Hashable, Mapping[str, str]] = {}  # this run's, by the paths that its config names

    def refuse_another_search(self) -> None:
        """
        Raises:
            InputError: it has another objective, or no parameter that this run has.
        """
        before, now = self._before.objective, self._now.objective
        if (before.metric, before.maximize) != (now.metric, now.maximize):
            one, other = (f"{'maximizes' if each.maximize else 'minimizes'} {each.metric}" for each in (before, now))
            raise InputError(f"it {one}, and this run {other}: name a run of the same objective")
        if not self._matched:
            searched, asked = (", ".join(spec.name for spec in each.parameters) for each in (self._before, self._now))
            raise InputError(f"no parameter in common: it searched {searched}, and this run searches {asked}")

    def told(self, source: str, teaches: Teaches, was_running: bool) -> PriorRun:
        """What the run is told of it.

        Args:
            source: how it is called.
            teaches: what the run's algorithm can learn from.
        """
        used: list[PriorTrial] = []
        left_out: Counter[str] = Counter()
        trials = [trial for trial in self._state.in_order() if trial.role is not Role.REPEAT]
        for trial in trials:
            try:
                results = tuple(self._results(trial, teaches))
                its = self._assignments(trial)
                assignments = {spec.name: _on_grid(spec, its[spec.name]) for spec in self._now.parameters}
                moved = any(not same_value(its[name], value) for name, value in assignments.items())
                why = _BETWEEN if moved else self._counts_less(trial, assignments)
                used.append(PriorTrial(trial.name, assignments, results, why))
            except _Unusable as reason:
                left_out[str(reason)] += 1
        return PriorRun(source, len(trials), tuple(used), dict(left_out), was_running)

    # What a trial measured.

    def _results(self, trial: Trial, teaches: Teaches) -> Iterator[PriorResult]:
        """By increasing share; at least one.

        Raises:
            _Unusable: there is none that the algorithm can learn from.
        """
        condition = trial.condition
        if condition.failed or condition is Condition.KILLED:
            raise _Unusable("failed" if condition.failed else "killed")
        by_share: dict[float, PriorResult] = {}
        for place, attempt in enumerate(trial.attempts):
            is_last = place == len(trial.attempts) - 1
            if not attempt.ended or (is_last and not self._is_at_rung(trial)):
                continue
            found = self._result(trial, attempt.steps, attempt.observation or (trial.observation if is_last else {}))
            by_share |= {found.share: found} if found is not None else {}
        if condition is Condition.SUCCEEDED and not trial.attempts:  # it took another's result over
            found = self._result(trial, None, trial.observation)
            by_share |= {found.share: found} if found is not None else {}
        results = [by_share[share] for share in sorted(by_share)]
        if not results or (teaches is Teaches.WHOLE and results[-1].share < 1):
            raise _Unusable(self._why_none(condition))
        yield from results

    @staticmethod
    def _is_at_rung(trial: Trial) -> bool:
        return trial.condition in (Condition.SUCCEEDED, Condition.PAUSED)

    def _why_none(self, condition: Condition) -> str:
        said = {
            Condition.EARLY_STOPPED: "stopped early",
            Condition.PAUSED: "paused on the way",
            Condition.SUCCEEDED: f"without {self._now.objective.metric} of a whole training",
        }
        return said.get(condition, "not ended")

    def _result(self, trial: Trial, steps: int | None, observation: Mapping[str, Metric]) -> PriorResult | None:
        metrics = tuple(observation[name] for name in (self._now.objective.metric, TOTAL_LOSS) if name in observation)
        share = self._share(trial, steps)
        result = PriorResult(share, metrics) if share is not None else None
        return result if result is not None and result.value(self._now.objective) is not None else None

    def _share(self, trial: Trial, steps: int | None) -> float | None:
        """How much of its whole training a trial had behind it; None where that cannot be told."""
        settings = self._before.settings
        if self._before.algorithm == _HYPERBAND:  # the parameter says how far each trial trains
            try:
                return min(float(trial.assignments[settings[_RESOURCE]]) / float(settings[_WHOLE]), 1.0)
            except (KeyError, ValueError):
                return None
        if steps is None:
            return 1.0
        whole = self._schedule(trial.assignments)
        return min(steps / whole, 1.0) if whole else None

    # What it would be here.

    def _match(self, name: str) -> str:
        """The earlier run's parameter that is this run's `name`; empty where there is none."""
        wanted = self._template.sets().get(name)
        known = {spec.name for spec in self._before.parameters}
        if wanted is not None:
            same = next((other for other, target in self._sets.items() if target == wanted and other in known), "")
            if same or name in self._sets:
                return same
        return name if name in known else ""

    def _assignments(self, trial: Trial) -> Assignments:
        """A value for each of this run's parameters.

        Raises:
            _Unusable: it has none for one of them, or one that lies outside.
        """
        sets, found = self._template.sets(), dict[str, str]()
        wanted = [spec.name for spec in self._now.parameters if spec.name not in self._matched]
        others = self._current(trial, [sets[name] for name in wanted if name in sets]) if wanted else {}
        for spec in self._now.parameters:
            own = self._matched.get(spec.name)
            value = trial.assignments.get(own) if own is not None else others.get(sets.get(spec.name, ""))
            if value is None:
                raise _Unusable(f"no value of {spec.name} to be seen")
            if not spec.contains(value):
                raise _Unusable(f"{spec.name} outside this space")
            found[spec.name] = value
        return found

    def _current(self, trial: Trial, targets: list[str]) -> dict[str, str]:
        """What its own config has, by alias or field path."""
        if self._trials is None or self._trials.base is None:
            return {}
        try:
            return self._trials.current(trial.assignments, targets)
        except RequestError:
            return {}

    # How much it counts.

    def _counts_less(self, trial: Trial, assignments: Assignments) -> str:
        """Why its numbers are none of this run's; empty where they are."""
        if not self._template.is_own:
            return self._other_template()
        mine, its = self._template.digest(assignments), self._config_of(trial)
        if mine is None or its is None:
            return "whether its config is this run's cannot be told"
        if mine != its or self._num_steps != self._template.num_steps:
            return "of another config than this run would make"
        record = self._record_of(trial)
        if not record:
            return "what data it trained on cannot be told"
        return "" if record == self._data_here(assignments) else "on other data"

    def _other_template(self) -> str:
        """Of trials whose config cannot be looked into: the same template with the same folders is the same."""
        before, now = (each.raw["spec"]["trialTemplate"] for each in (self._before, self._now))
        if before != now:
            return "of another trialTemplate"
        here = {name: place.absolute() for name, place in self._template.volumes.items()}
        return "" if here == dict(self._state.volumes) else "whether it trained on the same data cannot be told"

    def _config_of(self, trial: Trial) -> str | None:
        return self._trials.digest(trial.assignments) if self._trials is not None else None

    def _record_of(self, trial: Trial) -> Mapping[str, str]:
        """The digests of the data that it trained on; empty where nothing tells."""
        config = trained_config(trial)
        if config is None:
            return {}
        try:
            return read_trial(config.parent).data_digests
        except RequestError:
            return {}

    def _data_here(self, assignments: Assignments) -> Mapping[str, str]:
        """Of the data that this run would train on; empty where they are not to be read."""
        try:
            config = self._template.rendered(assignments)
            named = tuple(named_paths(config))
            if named not in self._data:
                self._data[named] = data_digests(config)
            return self._data[named]
        except (RequestError, OSError):
            return {}


def _on_grid(spec: ParameterSpec, value: str) -> str:
    """The parameter's own value that is nearest to `value`: an earlier run may have had another grid."""
    return spec.value_at(spec.index_of(value)) if spec.count is not None else value


def _trials_of(experiment: Experiment, volumes: Mapping[str, Path]) -> TrialConfig | None:
    """What assignments of an earlier run make; None where that cannot be seen any more."""
    try:
        return trial_config(experiment, {name: place for name, place in volumes.items() if place.is_dir()})
    except (BoxtuneError, RequestError):
        return None


def _sets_of(experiment: Experiment) -> dict[str, str]:
    try:
        return TrialCommand(experiment.template).sets()
    except BoxtuneError:  # no Job of this machine
        return {}
