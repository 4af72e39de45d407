"""Checking's look at rungs: whether the shortest training has room for them, and a budget in steps for a training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.experiment.baseline import baseline_assignments
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.schedule import schedule_of
from boxtune.experiment.space import inside
from boxtune.experiment.trial_config import trial_config
from boxtune.problems import Problem, note
from boxtune.search.catalogue import create_policy
from boxtune.search.policy import Surroundings
from trial_entry.errors import RequestError

_BY_SHARES = "asha"  # trains to shares of each schedule; the others do not ask how long a training is


def rung_problems(experiment: Experiment, config: Path | None, volumes: Mapping[str, Path]) -> Iterator[Problem]:
    """What `boxtune run` would refuse of rungs and the budget in steps, now that trials' arguments are right.

    Args:
        config: the base config, where it is not in the Experiment's ConfigMaps.
        volumes: folder by the name of a volume or claim.
    """
    if experiment.algorithm != _BY_SHARES or not _is_sound(experiment):
        return
    try:
        trials = trial_config(experiment, volumes, config)
    except (ExperimentError, RequestError):  # which is said where the config is looked at
        return
    schedule = schedule_of(trials, resolve=False)
    default = baseline_assignments(experiment, trials) if trials is not None else None
    within = default if default is not None and inside(experiment.parameters, default) else None
    if schedule(within or {spec.name: spec.ends[0] for spec in experiment.parameters}) is None:
        what = "how long trainings are cannot be told from here, so asha's rungs were not looked at"
        yield note("spec.algorithm", f"{what}; --config FILE and --volume NAME=DIR tell")
        return
    try:
        create_policy(experiment, Surroundings(schedule, experiment.most_steps, within))
    except ExperimentError as refused:
        yield from refused.problems


def _is_sound(experiment: Experiment) -> bool:
    """Whether the search could be made of the Experiment alone; what it is not was said of the algorithm."""
    try:
        create_policy(experiment)
    except ExperimentError:
        return False
    return True
