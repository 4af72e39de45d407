"""Which trial a local run starts next: what was cut off, what is asked for besides, else what the search suggests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from boxtune.errors import ExperimentError, InputError
from boxtune.experiment.experiment import MAX_STEPS, Experiment
from boxtune.experiment.space import inside
from boxtune.local.options import RunOptions
from boxtune.local.same_configs import SameConfigs
from boxtune.local.store import RunStore
from boxtune.local.template import Template
from boxtune.runs.completion import MOST_STEPS, MOST_TRIALS, NONE_LEFT, Completion
from boxtune.runs.prior import PriorRun
from boxtune.runs.trial import Condition, Role, Trial, baseline_name
from boxtune.search.catalogue import DEFAULT_SEED, create_policy
from boxtune.search.median_stop import MedianStop
from boxtune.search.memory import Memory
from boxtune.search.policy import Policy, Suggestion, Surroundings, next_number
from boxtune.search.steps import steps_of, steps_spent

_CAN_GO_ON = (Condition.EARLY_STOPPED, Condition.PAUSED)


def planned_policy(
    experiment: Experiment, template: Template, options: RunOptions, prior: Sequence[PriorRun] = ()
) -> Policy:
    """The experiment's search, with what this machine knows of its trainings.

    Args:
        prior: earlier runs that it is told of.

    Raises:
        ExperimentError: it cannot search here, or there is a budget in steps, and those of its trials cannot be told.
    """
    most_steps = _most_steps(experiment, options)
    if (
        most_steps is not None
        and template.schedule({spec.name: spec.ends[0] for spec in experiment.parameters}) is None
    ):
        what = (
            "the steps of these trials cannot be told: they are not python -m trial_entry, or their config is not here"
        )
        asked = "--max-steps" if options.most_steps is not None else f"{MAX_STEPS}:"
        raise ExperimentError(f"{asked} {most_steps}: {what}; leave it out, or give --budget TIME")
    baseline = template.baseline()
    default = baseline if baseline is not None and inside(experiment.parameters, baseline) else None
    return create_policy(experiment, Surroundings(template.schedule, most_steps, default, prior, template.footprint))


def _most_steps(experiment: Experiment, options: RunOptions) -> int | None:
    return experiment.most_steps if options.most_steps is None else options.most_steps


class Planner:
    """Makes the trials of a run in its store.

    Attributes:
        exhausted: why no trial can come any more, once that is so; None before.
    """

    def __init__(
        self, policy: Policy, store: RunStore, template: Template, stopping: MedianStop | None, options: RunOptions
    ) -> None:
        """
        Raises:
            InputError: a trial that is to be gone on with is not there, or has nothing left to do.
        """
        self.exhausted: Completion | None = None
        self._policy = policy
        self._store = store
        self._template = template
        self._stopping = stopping
        self._baseline = options.baseline and template.is_own
        self._most_steps = _most_steps(store.experiment, options)
        self._gone_on_with = [self._to_go_on_with(name) for name in options.gone_on_with]
        self._to_begin = [name for name in self._gone_on_with if not self._trial(name).condition.open]
        self._same = SameConfigs(template.digest, store.trials)

    def plan_baseline(self) -> None:
        """Make the baseline, where there is one and was none yet; begin it again where it was forgotten that it did not
        fit in memory.
        """
        name = baseline_name(self._store.experiment.name)
        made = self._store.trial(name)
        if made is not None and made.forgotten:
            self._to_begin.append(name)
        if not self._baseline or made is not None:
            return
        assignments = self._template.baseline()
        if assignments is not None and self._memory().fits(assignments):
            self._same.add(name, assignments)
            self._store.create(name, Role.BASELINE, Suggestion(-1, assignments))

    def waits_for(self, over: Completion) -> bool:
        """Whether a run that is over has a trial to wait for that does not count: one that is gone on with, and the
        baseline where all trials have ended.
        """
        if self._to_begin or any(self._trial(name).condition.open for name in self._gone_on_with):
            return True
        due = any(trial.is_baseline and not trial.condition.ended for trial in self._store.trials)
        return due and over is MOST_TRIALS

    def due_trial(self, running: Collection[str]) -> tuple[Trial, int | None] | None:
        """A trial that is there already and has to be started, and the steps that it is to train to.

        Args:
            running: names of those that run.
        """
        for trial in self._store.trials:
            if trial.condition.open and trial.name not in running:
                return trial, trial.steps
        return (self._trial(self._to_begin.pop(0)), None) if self._to_begin else None

    def suggested_trial(self, running: Collection[str]) -> tuple[Trial, int | None] | None:
        """The search's next trial, made here where it is new; None where there is none now, or none any more."""
        trials, most = self._store.trials, self._store.experiment.counts.most
        suggested = [trial for trial in trials if trial.role is Role.SUGGESTED and not trial.forgotten]
        is_full = most is not None and len(suggested) >= most
        if is_full and not any(trial.condition is Condition.PAUSED for trial in suggested):
            return None
        suggestion = self._policy.suggest(trials)
        if suggestion is None or (is_full and not suggestion.goes_on_from):
            self.exhausted = None if running else self._none_left()
            return None
        if not self._is_affordable(trials, suggestion):
            self.exhausted = None if running else MOST_STEPS
            return None
        if suggestion.goes_on_from:
            return self._trial(suggestion.goes_on_from), suggestion.steps
        name = f"{self._store.experiment.name}-{next_number(trials) + 1:04d}"
        rule = self._stopping.rule(self._store.run().trials) if self._stopping is not None else None
        same = self._same.add(name, suggestion.assignments)
        return self._store.create(name, Role.SUGGESTED, suggestion, rule, same), suggestion.steps

    def _none_left(self) -> Completion:
        """That nothing more is suggested, and what was left out for want of memory."""
        why = self._memory().left_out(self._store.experiment.parameters, DEFAULT_SEED)
        if not why:
            return NONE_LEFT
        return replace(NONE_LEFT, message=f"{NONE_LEFT.message}: {why}; --forget-memory tries it all the same")

    def _memory(self) -> Memory:
        return Memory(self._store.trials, self._template.footprint)

    def _is_affordable(self, trials: Sequence[Trial], suggestion: Suggestion) -> bool:
        if self._most_steps is None:
            return True
        schedule = self._template.schedule
        whole = suggestion.steps if suggestion.steps is not None else schedule(suggestion.assignments) or 0
        done = steps_of(self._trial(suggestion.goes_on_from), schedule) or 0 if suggestion.goes_on_from else 0
        return steps_spent(trials, schedule) + whole - done <= self._most_steps

    def _trial(self, name: str) -> Trial:
        trial = self._store.trial(name)
        assert trial is not None  # a policy knows no other trials than the store's
        return trial

    def _to_go_on_with(self, name: str) -> str:
        """The whole name of a trial that can be gone on with; without the Experiment's name before it, it will do."""
        whole = name if self._store.trial(name) is not None else f"{self._store.experiment.name}-{name}"
        trial = self._store.trial(whole)
        able = [each.name for each in self._store.trials if each.condition in _CAN_GO_ON]
        there = f"there are {', '.join(able)}" if able else "there is none"
        if trial is None:
            raise InputError(f"--continue {name}: no trial of this run; of those stopped early or paused {there}")
        if trial.condition.ended and trial.condition not in _CAN_GO_ON:
            what = f"--continue {name}: is {trial.condition}, so nothing is left to train"
            raise InputError(f"{what}; of those stopped early or paused {there}")
        return whole
