"""All checks of one Experiment file, in the order in which they would bite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from boxtune.checking.build import build_findings
from boxtune.checking.config import ConfigCheck
from boxtune.checking.finding import Finding, error, note
from boxtune.checking.metrics import metric_findings
from boxtune.checking.space import algorithm_findings, katib_findings, parameter_findings, space_findings
from boxtune.checking.template import template_findings
from boxtune.checking.webhook import webhook_findings
from boxtune.errors import ExperimentError
from boxtune.experiment.loading import ConfigMaps, read_experiment
from boxtune.experiment.model import Experiment, parse_experiment
from boxtune.experiment.source import Document
from boxtune.experiment.trial_command import TrialCommand
from boxtune.local.median_stop import MedianStop


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


def check(path: Path, options: CheckOptions) -> list[Finding]:
    """Every finding about the Experiment in `path`, by line.

    Raises:
        ExperimentError: unreadable, not YAML, or no Experiment at all.
    """
    document, config_maps = read_experiment(path)
    found = [replace(each, line=document.line(each.path)) for each in _findings(document, config_maps, options)]
    return sorted(found, key=lambda each: (each.line, each.severity))


def trial_errors(experiment: Experiment, volumes: Mapping[str, Path]) -> list[Finding]:
    """What of the config and the data makes trials fail, wherever they run; nothing for trials of another program."""
    command = TrialCommand(experiment)
    if not command.is_own:
        return []
    found = ConfigCheck(experiment, command, None, volumes).findings()
    return [each for each in found if each.severity == "error"]


def _findings(document: Document, config_maps: ConfigMaps, options: CheckOptions) -> Iterator[Finding]:
    for place in document.bare:
        yield error(
            ".".join(map(str, place)),
            "put it in quotes",
            "Go's YAML reads an unquoted y or n as true or false",
        )
    refused = list(webhook_findings(document.raw))
    yield from refused
    if refused:
        yield note("", "the other checks wait until these are settled")
        return
    findings = list(parameter_findings(document.raw))
    yield from findings
    yield from space_findings(document.raw)
    if findings:
        yield note("", "the other checks wait until the parameters are settled")
        return
    experiment = parse_experiment(document.raw, config_maps)
    yield from algorithm_findings(experiment)
    yield from _early_stopping(experiment)
    if options.katib:
        yield from katib_findings(experiment)
    yield from _trial_findings(experiment, options)


def _early_stopping(experiment: Experiment) -> Iterator[Finding]:
    if not experiment.early_stopping:
        return
    try:
        MedianStop(experiment)
    except ExperimentError as problem:
        text = str(problem).removeprefix("earlyStopping: ")
        yield error("spec.earlyStopping.algorithmSettings", text, "the early-stopping service refuses it")


def _trial_findings(experiment: Experiment, options: CheckOptions) -> Iterator[Finding]:
    try:
        command = TrialCommand(experiment)
    except ExperimentError as problem:
        where, _, text = str(problem).partition(": ")
        path, _, more = where.partition(" ")
        text = f"{more}: {text}" if more else text
        yield from metric_findings(experiment, None)
        if "primaryContainerName" in path:
            yield error(path, text, "accepted; no collector is added, so no metric ever arrives")
        else:
            yield note(path, f"{text}; it was not looked at")
        return
    yield from template_findings(experiment, command)
    yield from metric_findings(experiment, command)
    if not command.is_own:
        yield note("", "the trials are not python -m trial_entry, so their arguments were not looked at")
        return
    config = ConfigCheck(experiment, command, options.config, options.volumes)
    found = list(config.findings())
    yield from found
    if options.build and not any(each.severity == "error" for each in found):
        yield from build_findings(config)
