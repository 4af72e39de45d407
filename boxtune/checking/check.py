"""All checks of one Experiment file, in the order in which they would bite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kubeflow_katib_api.models import V1beta1Experiment, V1beta1ExperimentSpec

from boxtune.checking.build import build_problems
from boxtune.checking.config import ConfigCheck
from boxtune.checking.metrics import metric_problems
from boxtune.checking.space import algorithm_problems, katib_problems, space_problems
from boxtune.checking.template import template_problems
from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.loading import ConfigMaps, placed, read_experiment
from boxtune.experiment.shape import read_model
from boxtune.experiment.source import Document
from boxtune.experiment.trial_command import TrialCommand
from boxtune.experiment.validation import problems
from boxtune.problems import SEVERITIES, Problem, error, errors_of, note
from boxtune.search.median_stop import MedianStop


@dataclass(frozen=True)
class CheckOptions:
    """What to look at.

    Attributes:
        config: the base config, where it is not in the Experiment's ConfigMaps.
        volumes: folder by the name of a volume or claim, so that data can be opened.
        katib: also where Katib would search differently.
        build: also build every model that the space can name.
    """

    config: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)
    katib: bool = False
    build: bool = False


def check(path: Path, options: CheckOptions) -> list[Problem]:
    """Everything that is wrong with the Experiment in `path`, by line.

    Raises:
        ExperimentError: unreadable, not YAML, or no Experiment at all.
    """
    document, config_maps = read_experiment(path)
    found = [placed(each, document) for each in _problems(document, config_maps, options)]
    return sorted(found, key=lambda each: (each.line, SEVERITIES.index(each.severity)))


def trial_errors(experiment: Experiment, volumes: Mapping[str, Path]) -> list[Problem]:
    """What of the config and the data makes trials fail, wherever they run; nothing for trials of another program."""
    command = TrialCommand(experiment.template)
    if not command.is_own:
        return []
    return errors_of(list(ConfigCheck(experiment, command, None, volumes).problems()))


def _problems(document: Document, config_maps: ConfigMaps, options: CheckOptions) -> Iterator[Problem]:
    for place in document.bare:
        path, why = ".".join(map(str, place)), "Go's YAML reads an unquoted y or n as true or false"
        yield error(path, "put it in quotes", "", why)
    refused = list(problems(document.raw))
    yield from refused
    if refused:
        yield note("", "the other checks wait until these are settled")
        return
    yield from space_problems(read_model(V1beta1Experiment, document.raw).spec or V1beta1ExperimentSpec())
    try:
        experiment = parse_experiment(document.raw, config_maps)
    except ExperimentError as unusable:
        yield from unusable.problems
        yield note("", "the other checks wait until the parameters are settled")
        return
    yield from algorithm_problems(experiment)
    yield from _early_stopping(experiment)
    if options.katib:
        yield from katib_problems(experiment)
    yield from _trial_problems(experiment, options)


def _early_stopping(experiment: Experiment) -> Iterator[Problem]:
    if not experiment.early_stopping:
        return
    try:
        MedianStop(experiment)
    except ExperimentError as refused:
        for each in refused.problems or [error("spec.earlyStopping.algorithmSettings", str(refused))]:
            yield replace(each, on_katib="the early-stopping service refuses it")


def _trial_problems(experiment: Experiment, options: CheckOptions) -> Iterator[Problem]:
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
        return
    config = ConfigCheck(experiment, command, options.config, options.volumes)
    found = list(config.problems())
    yield from found
    if options.build and not errors_of(found):
        yield from build_problems(config)
