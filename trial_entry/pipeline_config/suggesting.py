"""The config's room, suggestions: of what is sane to try, what this config can take, alone and with the rest of it.

A search draws every parameter for itself, so each value of one must fit each value of another: an extractor that takes
other image sizes, an optimizer without a momentum, cannot be tried beside those. What does not fit is left out; what
the config has now stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trial_entry.contract.arguments import Assignment
from trial_entry.errors import RequestError
from trial_entry.finding import errors_of
from trial_entry.pipeline_config.aliases.alias import Feasible, Surroundings
from trial_entry.pipeline_config.checks import MODEL, findings
from trial_entry.pipeline_config.listing import Assignable
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import assign
from trial_entry.pipeline_config.rules import ranges, schedules
from trial_entry.pipeline_config.values import same_value

_RULES = (*MODEL, schedules.findings, ranges.findings)
# Assigned before the others, which must fit what they leave.
_STRUCTURE = ("feature_extractor", "optimizer", "image_size")


def fitting(config: TrainEvalPipelineConfig, listed: Sequence[Assignable]) -> list[Assignable]:
    """`listed` with what is suggested for each made to fit the config, and all the others of the list.

    Args:
        listed: what is shown or searched together; those without a suggestion stay as they are.
    """
    tried = _Tried(config)
    found = {each.name: tried.alone(each) for each in listed}
    structure = [name for name in _STRUCTURE if name in found]
    for place, name in enumerate(structure):
        for other in (*structure[place + 1 :], *(each for each in found if each not in _STRUCTURE)):
            found[name], found[other] = tried.together(found[name], found[other])
    return list(found.values())


class _Tried:
    """Assignments to one config, and whether they work."""

    def __init__(self, config: TrainEvalPipelineConfig) -> None:
        self._config = config
        self._before = {(each.feature, each.what) for each in errors_of(findings(config, _RULES))}

    def works(self, *assignments: tuple[str, str]) -> bool:
        """Whether a trial can run with these; what the config itself has wrong is another matter."""
        config = TrainEvalPipelineConfig()
        config.CopyFrom(self._config)
        try:
            assign(config, [Assignment(*each) for each in assignments], Surroundings(lambda _: 1))
        except RequestError:
            return False
        return all((each.feature, each.what) in self._before for each in errors_of(findings(config, _RULES)))

    def alone(self, listed: Assignable) -> Assignable:
        """With what works by itself, and the value now."""
        feasible = listed.feasible
        if feasible is None:
            return listed
        now = listed.current
        feasible = _with_now(feasible, now)
        if feasible.values:
            works = [each for each in feasible.values if _is_now(each, now) or self.works((listed.name, each))]
            return replace(listed, feasible=_only(feasible, works))
        if all(self.works((listed.name, end)) for end in (feasible.low, feasible.high)):
            return replace(listed, feasible=feasible)
        return replace(listed, feasible=None)

    def together(self, one: Assignable, other: Assignable) -> tuple[Assignable, Assignable]:
        """Both without the values that do not fit the other's.

        A value of `one` that the other's value now does not fit is left out; else it is the other's value that is.
        """
        if one.feasible is None or other.feasible is None:
            return one, other
        kept, left = [], list(_ends(other.feasible))
        for value in one.feasible.values:
            refused = [end for end in left if not self.works((one.name, value), (other.name, end))]
            must_stay = not other.feasible.values or any(_is_now(end, other.current) for end in refused)
            if refused and not _is_now(value, one.current) and (must_stay or len(refused) == len(left)):
                continue
            kept.append(value)
            left = [end for end in left if end not in refused] if other.feasible.values else left
        values = replace(other, feasible=_only(other.feasible, left)) if other.feasible.values else other
        return replace(one, feasible=_only(one.feasible, kept)), values


def _only(feasible: Feasible, values: Sequence[str]) -> Feasible | None:
    return replace(feasible, values=tuple(values)) if values else None


def _ends(feasible: Feasible) -> Iterator[str]:
    yield from feasible.values or (feasible.low, feasible.high)


def _is_now(value: str, now: str | None) -> bool:
    return now is not None and same_value(value, now)


def _with_now(feasible: Feasible, now: str | None) -> Feasible:
    """The same, wide enough for the value that the config has."""
    if not now or not (feasible.values or feasible.low):  # or a list without elements, or nothing that could be tried
        return feasible
    if feasible.values:
        if any(_is_now(each, now) for each in feasible.values):
            return feasible
        values = (*feasible.values, now)
        return replace(
            feasible, values=tuple(sorted(values, key=float) if feasible.parameter_type == "discrete" else values)
        )
    value = float(now)
    if value < float(feasible.low) and (value > 0 or not feasible.log):
        return replace(feasible, low=now)
    return replace(feasible, high=now) if value > float(feasible.high) else feasible
