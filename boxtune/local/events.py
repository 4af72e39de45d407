"""What happens to a run, as its journal keeps it: one typed event a line.

An event's JSON has its kind under `event` and its fields by their names. Fields that have their default are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from boxtune.experiment.source import Json, JsonObject
from boxtune.experiment.space import Assignments
from boxtune.runs.confirmation import Confirmation
from boxtune.runs.prior import PriorRun
from boxtune.runs.run import RunCondition
from boxtune.runs.trial import Condition, Metric, Role, StopRule

FORMAT = 1  # of the journal; a run that was begun before formats were counted has 0

ConfigMaps = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event.

    Attributes:
        kind: its name in the journal.
        time: RFC 3339.
    """

    kind: ClassVar[str]
    time: str


@dataclass(frozen=True, kw_only=True)
class Begun(Event):
    """The run was begun: always the first event.

    Attributes:
        experiment: the whole Experiment, as read.
        config_maps: data of the ConfigMaps beside it, by name and key.
        options: what of the command line must stay the same whenever the run goes on.
        format: of the journal.
        volumes: where each volume lay on this machine, by the name that was given for it; what repeats the run's
            trials begins with these.
        warm_start: earlier runs that its search is told of.
    """

    kind: ClassVar[str] = "experiment"
    experiment: JsonObject
    config_maps: ConfigMaps
    options: Mapping[str, Json]
    format: int = 0
    volumes: Mapping[str, str] | None = None
    warm_start: tuple[PriorRun, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CountsChanged(Event):
    """The Experiment's counts were edited; a count that was taken out is None."""

    kind: ClassVar[str] = "counts"
    counts: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Created(Event):
    """A trial was made; see `boxtune.runs.trial.Trial` for its fields."""

    kind: ClassVar[str] = "created"
    trial: str
    number: int | None
    assignments: Assignments
    role: Role | None = None  # told by the number, before roles were kept
    seed: int | None = None
    stop_rule: StopRule | None = None
    same_as: str = ""
    repeats: str = ""
    steps: int | None = None


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A process of a trial is about to start."""

    kind: ClassVar[str] = "started"
    trial: str
    steps: int | None = None


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """A trial has ended, or is paused at the end of a rung.

    Attributes:
        seconds: that its process ran.
        seconds_spent: that runners have spent on the run so far.
    """

    kind: ClassVar[str] = "ended"
    trial: str
    condition: Condition
    reason: str
    exit_code: int | None
    observation: tuple[Metric, ...]
    seconds: float
    seconds_spent: float = 0.0
    first_values: tuple[float, ...] = ()
    out_of_memory: bool = False


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The run is over."""

    kind: ClassVar[str] = "finished"
    condition: RunCondition
    message: str
    seconds_spent: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MemoryForgotten(Event):
    """Trials that ran out of memory until now tell nothing any more: there is more of it."""

    kind: ClassVar[str] = "memory-forgotten"


@dataclass(frozen=True, kw_only=True)
class Confirmed(Event):
    """What the run's repeats gave was put together; a later one takes an earlier one's place."""

    kind: ClassVar[str] = "confirmed"
    confirmation: Confirmation


_KINDS = (Begun, CountsChanged, Created, Started, Ended, Finished, MemoryForgotten, Confirmed)
_ADAPTERS: Mapping[str, TypeAdapter[Event]] = {each.kind: TypeAdapter(each) for each in _KINDS}


class NoEventError(ValueError):
    """A JSON value is no event; the text says why."""


def to_json(event: Event) -> JsonObject:
    """The event as its line has it."""
    written: dict[str, Json] = {"event": event.kind}
    values = _ADAPTERS[event.kind].dump_python(event, mode="json")
    for each in fields(event):
        if each.default is MISSING or getattr(event, each.name) != each.default:
            written[each.name] = values[each.name]
    return written


def from_json(read: object) -> Event:
    """The event that a line holds.

    Raises:
        NoEventError: it is none.
    """
    if not isinstance(read, Mapping) or str(read.get("event")) not in _ADAPTERS:
        raise NoEventError("not an event")
    given = {name: value for name, value in read.items() if name != "event"}
    try:
        event: Event = _ADAPTERS[read["event"]].validate_python(given)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise NoEventError(f"not an event: {place}: {first['msg']}") from None
    return event
