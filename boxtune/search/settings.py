"""algorithmSettings: Katib's names, ranges and words for what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from boxtune.errors import ExperimentError


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        read: int, float or str.
        allows: whether a value is in range.
        meaning: the range, in words.
    """

    read: Callable[[str], Any]
    allows: Callable[[Any], bool]
    meaning: str


RANDOM_STATE = Setting(int, lambda value: value >= 0, "a whole number of at least 0")
NOT_NEGATIVE_WHOLE = RANDOM_STATE
POSITIVE_WHOLE = Setting(int, lambda value: value > 0, "a whole number above 0")
POSITIVE = Setting(float, lambda value: 0 < value < math.inf, "above 0")
SHARE = Setting(float, lambda value: 0 < value < 1, "between 0 and 1")


def one_of(*names: str) -> Setting:
    """A setting with a few names as values."""
    return Setting(str, lambda value: value in names, f"one of {', '.join(names)}")


def read_settings(algorithm: str, given: Mapping[str, str], known: Mapping[str, Setting]) -> dict[str, Any]:
    """The values of `given`, typed.

    Raises:
        ExperimentError: an unknown setting, a wrong type, or out of range.
    """
    values = {}
    for name, text in given.items():
        if name not in known:
            has = ", ".join(known) if known else "none"
            raise ExperimentError(f"algorithmSettings: {algorithm} has no setting {name}; it has {has}")
        setting = known[name]
        try:
            value = setting.read(text)
            right = setting.allows(value)
        except ValueError:
            right = False
        if not right:
            raise ExperimentError(f'algorithmSettings: {name} "{text}" of {algorithm} must be {setting.meaning}')
        values[name] = value
    return values
