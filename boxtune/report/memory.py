"""What of a run fitted in memory and what did not, and from where on nothing is tried any more."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from boxtune.errors import ExperimentError
from boxtune.experiment.footprints import footprints_of
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_config import trial_config
from boxtune.runs.borders import borders
from boxtune.runs.run import Run
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.footprint import Footprint, footprint
from trial_entry.pipeline_config.text import read_config


@dataclass(frozen=True)
class Tried:
    """One trial on either side of the border.

    Attributes:
        trial: its name, without the Experiment's.
        footprint: what it takes.
        fitted: whether it did not run out of memory.
    """

    trial: str
    footprint: Footprint
    fitted: bool


@dataclass(frozen=True)
class Model:
    """One model of which something ran out of memory; sizes that the data decide are of one resizer.

    Attributes:
        name: for people.
        tried: its trials.
        border: the least that did not fit, from which on nothing is tried; None where as much or more fitted.
    """

    name: str
    tried: tuple[Tried, ...]
    border: Footprint | None

    @property
    def most(self) -> Footprint | None:
        """The most that fitted."""
        fitted = [each.footprint for each in self.tried if each.fitted]
        return max(fitted, key=lambda each: each.load, default=None)

    @property
    def short(self) -> tuple[str, ...]:
        """The trials that ran out of memory."""
        return tuple(each.trial for each in self.tried if not each.fitted)


@dataclass(frozen=True)
class MemoryFound:
    """What a run's trials tell of memory.

    Attributes:
        models: those of which something ran out.
        unknown: trials that ran out of memory, and of which nothing tells how much they take.
    """

    models: tuple[Model, ...]
    unknown: tuple[str, ...]


def memory_found(run: Run) -> MemoryFound:
    """What a run's trials tell of memory; what was forgotten tells nothing."""
    told = [each for each in run.everything if each.has_fitted or (each.out_of_memory and not each.forgotten)]
    if all(each.has_fitted for each in told):
        return MemoryFound((), ())
    rendered = _rendered(run)
    taken = [(each, rendered(each.assignments) or _left(each)) for each in told]
    tried = [Tried(_short(run, each), found, each.has_fitted) for each, found in taken if found is not None]
    found = borders(
        (each.footprint for each in tried if not each.fitted), (each.footprint for each in tried if each.fitted)
    )
    models = []
    for kind in dict.fromkeys(each.footprint.kind for each in tried if not each.fitted):
        own = tuple(each for each in tried if each.footprint.kind == kind)
        models.append(Model(own[0].footprint.name, own, found.get(kind)))
    unknown = (_short(run, each) for each, taken in taken if taken is None and not each.has_fitted)
    return MemoryFound(tuple(models), tuple(unknown))


def memory_lines(run: Run, found: MemoryFound) -> Iterator[str]:
    """What is not tried, a line each; nothing where nothing ran out of memory."""
    if run.folder is None or run.recorded:
        after = "Katib's services know nothing of it, and may try it again"
    else:
        after = f"not tried again; boxtune run {shlex.quote(str(run.folder))} --forget-memory tries it, on a larger GPU"
    for model in found.models:
        if model.border is not None:
            what = "batch_size x image pixels" if model.border.pixels is not None else "batch_size"
            yield f"out of memory: {what} from {model.border} on: {after}"
    odd = [*found.unknown, *(name for each in found.models if each.border is None for name in each.short)]
    if odd:
        yield f"out of memory: the values of {', '.join(odd)}: {after}"


def _rendered(run: Run) -> Callable[[Assignments], Footprint | None]:
    """What assignments take, where the Experiment has its base config with it."""
    try:
        return footprints_of(trial_config(run.experiment, {}))
    except (RequestError, ExperimentError):
        return footprints_of(None)


def _left(trial: Trial) -> Footprint | None:
    """By the config that a trial has left."""
    ran = trained_config(trial)
    try:
        return footprint(read_config(ran)) if ran is not None else None
    except RequestError:
        return None


def _short(run: Run, trial: Trial) -> str:
    return "the base config" if trial.is_baseline else trial.name.removeprefix(f"{run.experiment.name}-")
