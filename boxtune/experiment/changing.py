"""An Experiment with fewer trials or shorter ones, and as the text of one file: for whoever runs it elsewhere.

What is changed is the document itself, so that it means the same wherever it is run, and whoever trains its best trial
later sees what was asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.source import JsonObject, documents_text
from boxtune.experiment.trial_command import PLACEHOLDER, TrialCommand
from boxtune.problems import error

LENGTH_ALIASES = ("num_steps", "epochs")
_BOUNDED = ("parallelTrialCount", "maxFailedTrialCount")  # by maxTrialCount, in Katib


def with_most_trials(experiment: Experiment, most: int) -> Experiment:
    """The Experiment with maxTrialCount `most`; what Katib wants to be no more than that is lowered along."""
    raw: dict[str, Any] = copy.deepcopy(dict(experiment.raw))
    spec = raw["spec"]
    spec["maxTrialCount"] = most
    for name in _BOUNDED:
        if spec.get(name) is not None:
            spec[name] = min(spec[name], most)
    spec.setdefault("parallelTrialCount", min(experiment.counts.parallel, most))
    return parse_experiment(raw, experiment.config_maps)


def with_steps(experiment: Experiment, num_steps: int) -> Experiment:
    """The Experiment whose trials train `num_steps` steps, schedule included.

    Raises:
        ExperimentError: the trials are not trial_entry's, or it searches their length.
    """
    command = TrialCommand(experiment.template)
    if not command.is_own:
        raise ExperimentError("num_steps: only trials of python -m trial_entry can be shortened")
    raw, container = _primary_container(experiment, command)
    for field in ("command", "args"):
        if container.get(field):
            container[field] = list(_without_lengths(container[field], f"{command.path}.{field}"))
    container.setdefault("args", []).append(f"--set=num_steps={num_steps}")
    return parse_experiment(raw, experiment.config_maps)


def with_image(experiment: Experiment, image: str) -> Experiment:
    """The Experiment whose trials run in `image`.

    Raises:
        ExperimentError: its template is no Job that stands in it.
    """
    raw, container = _primary_container(experiment, TrialCommand(experiment.template))
    container["image"] = image
    return parse_experiment(raw, experiment.config_maps)


def _primary_container(experiment: Experiment, command: TrialCommand) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of the document, and the trial's container in it."""
    raw: dict[str, Any] = copy.deepcopy(dict(experiment.raw))
    pod = raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    return raw, next(each for each in pod["containers"] if each["name"] == command.container.name)


def _without_lengths(arguments: list[str], path: str) -> Iterator[str]:
    kept: list[str] = []
    for number, argument in enumerate(arguments):
        text = argument.removeprefix("--set=") if argument.startswith("--set=") else argument
        is_set = argument.startswith("--set=") or bool(kept and kept[-1] == "--set")
        if not is_set or not text.startswith(tuple(f"{alias}=" for alias in LENGTH_ALIASES)):
            kept.append(argument)
            continue
        if PLACEHOLDER.search(text):
            what = f"{text}: the length of a training is searched, so num_steps cannot set it"
            raise ExperimentError(error(f"{path}.{number}", what, "leave num_steps at 0"))
        if kept and kept[-1] == "--set":
            kept.pop()
    yield from kept


def experiment_text(experiment: Experiment) -> str:
    """The Experiment and the ConfigMaps of its file, as the text of one file."""
    return documents_text([*map(_config_map, experiment.config_maps, experiment.config_maps.values()), experiment.raw])


def _config_map(name: str, data: Mapping[str, str]) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}
