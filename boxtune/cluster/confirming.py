"""Confirming a search on a cluster: its repeats made as Jobs, as many at a time as its trials were, and followed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from boxtune.cluster.baseline import base_assignments
from boxtune.cluster.connection import Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.repeats import create_repeat
from boxtune.cluster.watching import patiently, wait_for_a_pod
from boxtune.errors import ExperimentFailed, InputError
from boxtune.experiment.editing import NO_SEED, takes_seed
from boxtune.experiment.trial_command import TrialCommand
from boxtune.runs.run import Run
from boxtune.search.repeating import base_of, plan

_PATIENCE_SECONDS = 300.0


def confirm(
    cluster: Cluster, name: str, repeats: int, changed: Callable[[Run], None], notice: Callable[[str], None]
) -> Run:
    """Train what is missing, and return the run once nothing is; the same call goes on where it was cut off.

    Values are the trials' own, of the validation split.

    Args:
        repeats: fresh trainings of the winner and of the base config.
        changed: takes the run as it goes on.
        notice: takes what the user should know, a line each.

    Raises:
        InputError: the search is not over, no trial of it has succeeded, or its trials take no seed.
        ExperimentFailed: too few repeats were measured.
        ClusterError: no such Experiment, no rights, or the cluster does not answer.
    """
    fetcher, forgiven = Fetcher(cluster, name), None
    while True:
        run = patiently(fetcher.fetch, _PATIENCE_SECONDS, notice)
        if forgiven is None:
            _refuse(run)
            ended = [each for each in run.repeats if each.condition.ended]
            forgiven = {each.name for each in ended if not each.condition.measured}
        changed(run)
        found = plan(run, base_of(run, partial(base_assignments, run.experiment)), repeats, forgiven)
        running = sum(not each.condition.ended for each in run.repeats)
        if not found.missing and not running:
            break
        for repeat in found.missing[: max(0, run.experiment.counts.parallel - running)]:
            create_repeat(cluster, run, repeat)
            notice(f"job/{repeat.name} created")
        wait_for_a_pod(cluster)
    if run.confirmation is None:
        failed = [each for each in run.repeats if not each.condition.measured][-1]
        what = f"{name}: too few repeats gave a value; the last that did not, {failed.name}: {failed.reason}"
        raise ExperimentFailed(f"{what}. Mend what it says; the same command makes others in their place")
    return run


def _refuse(run: Run) -> None:
    """Raises InputError where there is nothing to confirm."""
    name = run.experiment.name
    if not run.ended:
        raise InputError(f"{name}: the search goes on; confirm it once it is over (boxtune watch {name})")
    if run.optimal is None:
        raise InputError(f"{name}: no trial has succeeded, so there is nothing to confirm")
    template = run.experiment.template
    command = TrialCommand(template) if template.job is not None else None
    if command is None or not takes_seed(command):
        raise InputError(f"{name}: {NO_SEED}")
