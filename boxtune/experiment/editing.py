"""An Experiment with something changed: its counts, name, how long its trials train; the one that was given stays."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Callable, Sequence

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import DEFAULT_PARALLEL, Experiment, parse_experiment
from boxtune.experiment.source import Json
from boxtune.experiment.trial_command import PLACEHOLDER, TrialCommand

_NAME_SIGNS, _SIGNS = "bcdfghjklmnpqrstvwxz2456789", 5  # as the API server makes names of generateName
_SEED = "--seed"
_WITH_SEED = re.compile(r"""(?<![\w-])(--seed(?:=|[ \t]+))(?:"[^"]*"|'[^']*'|[^\s"';&|)]+)""")
LENGTH_ALIASES = ("num_steps", "epochs")
_STOP = "--num_train_steps"
_MOST, _MOST_FAILED, _PARALLEL = "maxTrialCount", "maxFailedTrialCount", "parallelTrialCount"


def edited(experiment: Experiment, change: Callable[[dict[str, Json]], None]) -> Experiment:
    """The Experiment after `change` was given all of it to change."""
    raw = copy.deepcopy(dict(experiment.raw))
    change(raw)
    return parse_experiment(raw, experiment.config_maps)


def pod_of(raw: dict[str, Json]) -> dict[str, Json]:
    """The pod template of the Job that is a trial: its `metadata` and `spec`."""
    template: dict[str, Json] = raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]
    return template


def with_counts(experiment: Experiment, most: int | None, parallel: int | None) -> Experiment:
    """With other counts, where they are given; those that Katib would refuse beside them are lowered to them."""

    def change(raw: dict[str, Json]) -> None:
        spec = raw["spec"]
        if most is not None:
            spec[_MOST] = most
        if parallel is not None:
            spec[_PARALLEL] = parallel
        limit = spec.get(_MOST)
        for name in (_PARALLEL, _MOST_FAILED):
            given = spec.get(name) or (DEFAULT_PARALLEL if name == _PARALLEL else 0)  # Katib's defaulter sets it first
            if limit is not None and given > limit:
                spec[name] = limit

    return edited(experiment, change) if most is not None or parallel is not None else experiment


def with_generated_name(experiment: Experiment) -> Experiment:
    """With a name of its own where only generateName is given, as the API server would make it."""
    metadata = experiment.raw["metadata"]
    if metadata.get("name"):
        return experiment
    name = metadata["generateName"] + "".join(secrets.choice(_NAME_SIGNS) for _ in range(_SIGNS))
    return edited(experiment, lambda raw: raw["metadata"].update(name=name))


def with_num_steps(experiment: Experiment, num_steps: int | None) -> Experiment:
    """With trials that are shortened to this many steps, schedule included; as it is where that is None.

    Raises:
        ExperimentError: the trials are not trial_entry's, or their length is searched.
    """
    if num_steps is None:
        return experiment
    command = TrialCommand(experiment.template)
    if not command.is_own:
        raise ExperimentError("num_steps: only trials of python -m trial_entry can be shortened")
    given = list(command.container.args or ())
    left = shortened(given, num_steps)
    searched = next((text for text in given if text not in left and PLACEHOLDER.search(text)), None)
    if searched is not None:
        raise ExperimentError(f"num_steps: the search assigns {searched.partition('=')[2]} itself; leave num_steps out")

    def change(raw: dict[str, Json]) -> None:
        container = next(each for each in pod_of(raw)["spec"]["containers"] if each["name"] == command.container.name)
        container["args"] = left

    return edited(experiment, change)


def with_image(experiment: Experiment, image: str) -> Experiment:
    """With trials that run in `image`.

    Raises:
        ExperimentError: the template is no Job that stands in the Experiment.
    """
    name = TrialCommand(experiment.template).container.name

    def change(raw: dict[str, Json]) -> None:
        next(each for each in pod_of(raw)["spec"]["containers"] if each["name"] == name)["image"] = image

    return edited(experiment, change)


NO_SEED = (
    "its trials are not python -m trial_entry, and their command has no --seed=N to be given another; nothing tells a "
    "second training from the first"
)


def takes_seed(command: TrialCommand) -> bool:
    """Whether a trial's command can be given a seed."""
    return command.is_own or has_seed(command.arguments)


def has_seed(arguments: Sequence[str]) -> bool:
    """Whether a command says a seed, as `--seed=N` or `--seed N`, in a shell line too."""
    return seeded(arguments, 0, False) != seeded(arguments, 1, False)


def seeded(arguments: Sequence[str], seed: int, add: bool) -> list[str]:
    """A command with this seed instead of its own.

    Args:
        add: whether one is added where there is none.
    """
    given = [
        str(seed) if before == _SEED else _WITH_SEED.sub(rf"\g<1>{seed}", text)
        for before, text in zip(("", *arguments), arguments, strict=False)
    ]
    return given if not add or has_seed(arguments) else [*given, f"{_SEED}={seed}"]


def stopping_at(arguments: Sequence[str], steps: int) -> list[str]:
    """A trial's arguments with an end at this step of an unchanged schedule, instead of an end of their own."""
    kept: list[str] = []
    for argument in arguments:
        if kept and kept[-1] == _STOP:
            kept.pop()
        elif not argument.startswith(f"{_STOP}="):
            kept.append(argument)
    return [*kept, f"{_STOP}={steps}"]


def shortened(arguments: Sequence[str], num_steps: int) -> list[str]:
    """A trial's arguments with this number of steps instead of its own."""
    lengths = tuple(f"--set={alias}=" for alias in LENGTH_ALIASES)
    return [*(text for text in arguments if not text.startswith(lengths)), f"--set=num_steps={num_steps}"]
