"""Delivery's recipes: what of a run, an Experiment on a cluster or a config is to be trained, and how."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boxtune.delivery.asking import request_errors
from boxtune.delivery.confirmed_looks import looks_of
from boxtune.delivery.rendering import rendered_config
from boxtune.delivery.training_record import TrainingRecord
from boxtune.errors import InputError
from boxtune.experiment.editing import LENGTH_ALIASES
from boxtune.experiment.trial_command import TrialCommand
from boxtune.experiment.trial_config import trial_config
from boxtune.report.answer import claim
from boxtune.runs.run import Run
from boxtune.runs.trained_config import text_of, trained_config
from boxtune.runs.trial import Trial
from trial_entry.contract.arguments import Assignment
from trial_entry.contract.files import CONFIG_FILE
from trial_entry.contract.records import read_trial
from trial_entry.contract.requests import TrainRequest, parse
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.render import RenderedConfig, config_digest
from trial_entry.pipeline_config.text import parse_config
from trial_entry.records.dataset import count_train_examples
from trial_entry.storage.paths import local_folders
from trial_entry.storage.urls import Remote

_BASELINE = "baseline"
_SET = "--set="


@dataclass(frozen=True)
class Recipe:
    """What is to be trained.

    Attributes:
        config: the complete pipeline.config, as text.
        request: the trials' arguments beside it; its paths, assignments and seed are not to be used.
        record: where it is from.
        begun: the trial's MODEL_DIR, whose checkpoint a training of the same seed can go on from; or None.
        notes: what people should know, a line each.
    """

    config: str
    request: TrainRequest
    record: TrainingRecord
    begun: Path | None = None
    notes: tuple[str, ...] = ()


def config_recipe(path: Path | Remote) -> Recipe:
    """The config itself, complete.

    Raises:
        InputError: it cannot be trained.
    """
    with request_errors():
        rendered = BaseConfig.read(path).render([])
    return _complete(rendered, path)


def text_recipe(text: str, folder: Path, num_steps: int | None = None) -> Recipe:
    """The config that `text` is, as if it lay in `folder`: its relative paths are taken from there.

    Args:
        num_steps: shorten it to these, schedule included; None as it says.

    Raises:
        InputError: it cannot be trained.
    """
    path = folder / CONFIG_FILE
    with request_errors():
        lengths = [Assignment("num_steps", str(num_steps))] if num_steps is not None else []
        rendered = BaseConfig.parse(text, str(path)).render(lengths)
    return _complete(rendered, path)


def _complete(rendered: RenderedConfig, path: Path | Remote) -> Recipe:
    request = TrainRequest(pipeline_config_path=path, model_dir=path.parent)
    return Recipe(rendered.text, request, TrainingRecord(str(path), rendered.digest))


def run_recipe(run: Run, source: str, name: str | None, volumes: Mapping[str, Path]) -> Recipe:
    """The best trial of a run, or the one of this name, with the number of steps that the Experiment asks for.

    Args:
        source: as whoever named the run wrote it.
        name: of a trial, whole or without the Experiment's; `baseline` too; None for the best.
        volumes: folder by the name of a volume or claim, for a run on a cluster.

    Raises:
        InputError: there is no such trial, or it cannot be trained from here.
    """
    trial = find_trial(run, name)
    ran = trained_config(trial)
    with request_errors():
        made = _here(run, trial, ran) if ran is not None else _elsewhere(run, trial, volumes)
    request = replace(made.request, num_train_steps=None)  # to the end of its schedule
    image = TrialCommand(run.experiment.template).container.image or ""
    objective, found = run.experiment.objective, run.confirmation
    looked_at, look = looks_of(found)
    record = replace(
        made.record,
        source=source,
        experiment=run.experiment.name,
        algorithm=run.experiment.algorithm,
        trials=len(run.trials),
        trial=trial.name,
        assignments=dict(trial.assignments),
        image=image,
        objective=objective.metric,
        minimize=not objective.maximize,
        confirmation=claim(found) if found is not None and found.winner.trial == trial.name else "",
        confirmed_data=looked_at,
        confirmed_look=look,
    )
    return replace(made, record=record, request=request)


def find_trial(run: Run, name: str | None) -> Trial:
    """The best trial (the one that a confirmation has chosen, where there is one), or the one of this name.

    Raises:
        InputError: there is none.
    """
    if name is None:
        if run.chosen is None:
            raise InputError(f"{run.experiment.name}: no trial has succeeded yet, so none is the best")
        return run.chosen
    for trial in run.everything:
        if name in (trial.name, trial.name.removeprefix(f"{run.experiment.name}-")):
            return trial
        if name == _BASELINE and trial.is_baseline:
            return trial
    known = ", ".join(trial.name for trial in run.everything[:5])
    raise InputError(f"--trial {name}: {run.experiment.name} has no such trial; it has {known or 'none'}, …")


def _here(run: Run, trial: Trial, ran: Path) -> Recipe:
    """Of a trial whose folder is on this machine."""
    recorded = parse(shlex.split(read_trial(ran.parent).arguments))
    assert isinstance(recorded, TrainRequest)  # whoever leaves a trial.json trains
    wanted = _as_asked(run, trial, recorded.assignments)
    if wanted == recorded.assignments:
        text = text_of(ran)
        return Recipe(text, recorded, TrainingRecord("", _digest(text, ran)), ran.parent)
    base = BaseConfig.read(recorded.pipeline_config_path)
    base = base.given(Fragments(local_folders(recorded.fragments)), recorded.checkpoints, count_train_examples)
    rendered = base.render(wanted)
    note = (
        f"the search shortened its trials (--num-steps); this trains to step {rendered.config.train_config.num_steps}"
    )
    return Recipe(rendered.text, recorded, TrainingRecord("", rendered.digest), notes=(note,))


def _as_asked(run: Run, trial: Trial, recorded: Sequence[Assignment]) -> tuple[Assignment, ...]:
    """The assignments that a trial ran with, of as many steps as the Experiment asks for."""
    filled = TrialCommand(run.experiment.template).filled(trial.assignments)
    asked = [Assignment.parse(text.removeprefix(_SET)) for text in filled if text.startswith(_SET) and "${" not in text]
    lengths = [each for each in asked if each.name in LENGTH_ALIASES]
    if lengths == [each for each in recorded if each.name in LENGTH_ALIASES]:
        return tuple(recorded)
    return (*(each for each in recorded if each.name not in LENGTH_ALIASES), *lengths)


def _elsewhere(run: Run, trial: Trial, volumes: Mapping[str, Path]) -> Recipe:
    """Of a trial on a cluster: rendered again, with this machine's paths."""
    text = rendered_config(run, trial, volumes)
    trials = trial_config(run.experiment, volumes)
    assert trials is not None  # or it could not have been rendered
    rendered = BaseConfig.parse(text, f"{trial.name}/pipeline.config").render([])
    return Recipe(rendered.text, trials.arguments(trial.assignments), TrainingRecord("", rendered.digest))


def _digest(text: str, where: Path) -> str:
    return config_digest(parse_config(text, str(where)))
