"""All checks of one Experiment file, in the order in which they would bite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kubeflow_katib_api.models import V1beta1Experiment, V1beta1ExperimentSpec

from boxtune.checking.build import build_problems
from boxtune.checking.config import ConfigCheck
from boxtune.checking.katib_services import katib_problems
from boxtune.checking.metrics import metric_problems
from boxtune.checking.rungs import rung_problems
from boxtune.checking.space import algorithm_problems, space_problems
from boxtune.checking.template import reference_problems, template_problems
from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.loading import Read, placed, read_experiment
from boxtune.experiment.shape import read_model
from boxtune.experiment.trial_command import TrialCommand
from boxtune.experiment.validation import problems
from boxtune.problems import SEVERITIES, Problem, error, errors_of, note
from boxtune.search.median_stop import MedianStop

_WAITING = "the other checks wait"


@dataclass(frozen=True)
class CheckOptions:
    """What to look at.

    Attributes:
        config: the base config, instead of the one in the Experiment's ConfigMaps.
        volumes: folder by the name of a volume or claim, so that data can be opened.
        katib: also where Katib would search differently.
        build: also build every model that the space can name.
        name: of the Experiment, where the file holds several.
    """

    config: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)
    katib: bool = False
    build: bool = False
    name: str | None = None


def check(path: Path, options: CheckOptions) -> list[Problem]:
    """Everything that is wrong with the Experiment in `path`, by line, and what stands beside it and is left alone.

    Raises:
        ExperimentError: unreadable, not YAML, or no Experiment at all.
    """
    read = read_experiment(path, options.name)
    document = read.document
    found = [placed(each, document) for each in _problems(read, options)]
    by_line = sorted([*found, *read.others], key=lambda each: (each.line, SEVERITIES.index(each.severity)))
    return sorted(by_line, key=lambda each: each.what.startswith(_WAITING))  # which refers to those before it


def trial_errors(experiment: Experiment, volumes: Mapping[str, Path]) -> list[Problem]:
    """What makes trials useless wherever they run: parameters that none is told of; for trial_entry's own also what of
    the config and the data makes them fail.
    """
    command = TrialCommand(experiment.template)
    untold = list(reference_problems(experiment, command))
    if untold or not command.is_own:
        return untold
    return errors_of(list(ConfigCheck(experiment, command, None, volumes).problems()))


def _problems(read: Read, options: CheckOptions) -> Iterator[Problem]:
    document, config_maps = read.document, read.config_maps
    wrong = list(problems(document.raw, config_maps))
    yield from wrong
    if errors_of(wrong):
        yield note("", f"{_WAITING} until these are settled")
        return
    yield from space_problems(read_model(V1beta1Experiment, document.raw).spec or V1beta1ExperimentSpec())
    try:
        experiment = parse_experiment(document.raw, config_maps)
    except ExperimentError as unusable:
        yield from unusable.problems
        yield note("", f"{_WAITING} until the parameters are settled")
        return
    yield from algorithm_problems(experiment)
    yield from _early_stopping(experiment)
    if options.katib:
        yield from katib_problems(experiment)
    yield from _trial_problems(experiment, options, read.text_lines)


def _early_stopping(experiment: Experiment) -> Iterator[Problem]:
    if not experiment.early_stopping:
        return
    try:
        MedianStop(experiment)
    except ExperimentError as refused:
        for each in refused.problems or [error("spec.earlyStopping.algorithmSettings", str(refused))]:
            yield replace(each, on_katib="the early-stopping service refuses it")


def _trial_problems(experiment: Experiment, options: CheckOptions, text_lines: Mapping[str, int]) -> Iterator[Problem]:
    try:
        command = TrialCommand(experiment.template)
    except ExperimentError as unusable:
        yield from metric_problems(experiment, None)
        for each in unusable.problems:
            # What Katib takes and a local run does not is no fault of the Experiment's.
            yield each if each.on_katib else note(each.path, f"{each.what}; it was not looked at")
        return
    yield from template_problems(experiment, command)
    yield from metric_problems(experiment, command)
    if not command.is_own:
        yield note("", "the trials are not python -m trial_entry, so their arguments were not looked at")
        ignored = [text for text, given in (("--config", options.config), ("--build", options.build)) if given]
        if ignored:
            yield note("", f"{' and '.join(ignored)}: ignored, as only trials of python -m trial_entry read a config")
        return
    config = ConfigCheck(experiment, command, options.config, options.volumes, text_lines)
    found = list(config.problems())
    yield from found
    if not errors_of(found):
        yield from rung_problems(experiment, options.config, options.volumes)
    if options.build and not errors_of(found):
        yield from build_problems(config)
