"""Delivery's confirmation: whether what a search found is real, by fresh trainings that took no part in it.

The winner is chosen by what the trials themselves measured, on the validation split; all that is estimated is measured
on the test split, where the config has one: it is looked at once for each of the trainings that are compared, and every
look is remembered in the run's folder.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from boxtune.data.importing.splitting import BY_IMAGE
from boxtune.delivery.history import EVALUATED, Event, history, remember
from boxtune.delivery.measured_images import RepeatMeasurements
from boxtune.delivery.measured_split import Split, find_split
from boxtune.delivery.record_files import now
from boxtune.errors import BoxtuneError, ExperimentFailed, InputError
from boxtune.local.keeping import remove_checkpoints
from boxtune.local.options import Listener, RunOptions
from boxtune.local.reading import open_run
from boxtune.local.repeats import Repeater
from boxtune.local.template import METRICS_FILE
from boxtune.runs.confirmation import Confirmation, Sample
from boxtune.runs.difference import LEAST
from boxtune.runs.run import Run
from boxtune.runs.trial import baseline_name
from boxtune.search.repeating import Plan, confirmed, sample

REPEATS = 3


@dataclass(frozen=True)
class ConfirmOptions:
    """How a run is to be confirmed.

    Attributes:
        run: how its trials run here: volumes, how many at a time, and so on.
        repeats: fresh trainings of the winner, and of the base config.
        split: TEST or VALIDATION; None for the test split where there is one.
        group: what groups images besides the import's table, as `data import --group` has it.
    """

    run: RunOptions = field(default_factory=RunOptions)
    repeats: int = REPEATS
    split: str | None = None
    group: str = BY_IMAGE


def confirm(folder: Path, options: ConfirmOptions, listener: Listener) -> Run:
    """Train what is missing, measure it, and write down what it says; the same call goes on where it was cut off.

    Returns:
        The run, with its confirmation.

    Raises:
        InputError: no trial has succeeded, the run is another's or in use, its trials take no seed, or the test split
            cannot be measured.
        ExperimentFailed: too few repeats were measured.
        Interrupted: a signal, or a full disk.
    """
    if open_run(folder).optimal is None:
        raise InputError(f"{folder}: no trial has succeeded yet, so there is nothing to confirm")
    with Repeater(folder, options.run, listener) as repeater:
        split = find_split(repeater, options.split, listener.notice)
        found = repeater.train(options.repeats)
        own = confirmed(repeater.run, found, _alone(repeater))
        if own is None:
            raise _too_few(repeater.run, found)
        if split.config is None:  # which a trial has left by now
            split = find_split(repeater, options.split, listener.notice)
        measured = RepeatMeasurements(repeater, split)
        names = [list(each.values) for each in own.samples]
        measured.measure([trial for trial in repeater.run.repeats if any(trial.name in each for each in names)])
        _remember_looks(repeater.run, split, measured, listener)
        confirmation = replace(
            own,
            winner=_on_split(own.winner, measured),
            base=_on_split(own.base, measured) if own.base is not None else None,
            split=split.name,
            why_split=split.why,
            data_digest=split.digest,
            look=_look(repeater.run, split, own),
            images=measured.images(names, options.group),
            time=now(),
        )
        run = repeater.keep(confirmation)
        if options.run.keep.best is not None:
            _tidy(run, found, measured)
    return run


def _alone(repeater: Repeater) -> str:
    """Why there is no base config to compare with; empty where there is."""
    if repeater.base is not None:
        return ""
    baseline = repeater.run.baseline
    if baseline is not None:
        return f"the base config's own values failed in the search ({baseline.reason or baseline.condition})"
    if not repeater.template.is_own:
        return "the trials are not python -m trial_entry, so the base config's own values are not known"
    return "the base config cannot be seen from here, or a parameter is no --set of it"


def _too_few(run: Run, found: Plan) -> ExperimentFailed:
    """Why nothing can be said."""
    if found.winner is None:
        names = [each.trial for each in found.contenders]
        what = f"none of the best {len(names)} could be trained again with another seed"
        return ExperimentFailed(f"{run.folder}: {what}; {_last(run, names)}")
    configs = (found.winner, *([found.base] if found.base is not None else []))
    count, name = min((len(sample(run, each).values), each.name) for each in configs)
    what = f"{count} repeat{'' if count == 1 else 's'} of {name} gave a value, and it takes {LEAST} at least"
    return ExperimentFailed(f"{run.folder}: {what}; {_last(run, [name])}")


def _last(run: Run, names: Collection[str]) -> str:
    """What the last of these configs' repeats said that failed, and what to do."""
    last = [each for each in run.repeats if each.repeats in names and not each.condition.measured][-1]
    return (
        f"the last, {last.name}: {last.reason} (log: {last.folder}/{METRICS_FILE}). Mend what it says; the same "
        "command trains others in their place"
    )


def _on_split(own: Sample, measured: RepeatMeasurements) -> Sample:
    """A config's fresh trainings, with the values on the split that all are measured on."""
    return replace(own, values={name: measured.value(name, value) for name, value in own.values.items()})


def _look(run: Run, split: Split, own: Confirmation) -> int:
    """Which look at the split this is: one more for every other config that won before and was measured there."""
    if not split.is_test:
        return 1
    repeats = {trial.name: trial.repeats for trial in run.repeats}
    seen = {repeats.get(each.model, "") for each in history(str(run.folder)) if each.data_digest == split.digest}
    return 1 + len(seen - {each.trial for each in own.samples} - {baseline_name(run.experiment.name), ""})


def _remember_looks(run: Run, split: Split, measured: RepeatMeasurements, listener: Listener) -> None:
    """Every look at the test split, once; one that cannot be remembered was taken all the same."""
    if not split.is_test:
        return
    place = str(run.folder)
    try:
        known = {each.model for each in history(place) if each.data_digest == split.digest}
        for name, found in measured.evaluations.items():
            if name not in known:
                remember(place, Event(EVALUATED, name, split.name, split.digest, found.checkpoint, found.metrics))
    except BoxtuneError as problem:
        listener.notice(f"this look at {split.name} could not be remembered: {problem}")


def _tidy(run: Run, found: Plan, measured: RepeatMeasurements) -> None:
    """Remove checkpoints of repeats that will not be measured any more."""
    contenders = {each.trial for each in found.contenders}
    for trial in run.repeats:
        done = trial.name in measured.evaluations or trial.repeats not in contenders
        if done and trial.condition.ended and trial.folder is not None:
            remove_checkpoints(trial.folder)
