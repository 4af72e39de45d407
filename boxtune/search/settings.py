"""algorithmSettings: Katib's names, ranges and words for what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from boxtune.errors import ExperimentError
from boxtune.problems import error

SEED = "random_state"
Value = TypeVar("Value", int, float, str)


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One setting.

    Attributes:
        read: int, float or str.
        allows: whether a value is in range.
        meaning: the range, in words.
    """

    read: Callable[[str], Value]
    allows: Callable[[Value], bool]
    meaning: str

    def value(self, text: str) -> Value | None:
        """The value that `text` is; None where it is none, or out of range."""
        try:
            value = self.read(text)
        except ValueError:
            return None
        return value if self.allows(value) else None


NOT_NEGATIVE_WHOLE = Setting(int, lambda value: value >= 0, "a whole number of at least 0")
RANDOM_STATE = Setting(int, lambda value: 0 <= value < 2**32, "a whole number from 0 to 4294967295")
POSITIVE_WHOLE = Setting(int, lambda value: value > 0, "a whole number above 0")
POSITIVE = Setting(float, lambda value: 0 < value < math.inf, "above 0")
SHARE = Setting(float, lambda value: 0 < value < 1, "between 0 and 1")
AnySetting = Setting[int] | Setting[float] | Setting[str]


def one_of(*names: str) -> Setting[str]:
    """A setting with a few names as values."""
    return Setting(str, lambda value: value in names, f"one of {', '.join(names)}")


Elsewhere = Callable[[str, str], bool]


def nowhere(name: str, text: str) -> bool:
    """Katib's services take no setting that is not built here; the default."""
    return False


def read_settings(
    algorithm: str,
    given: Mapping[str, str],
    known: Mapping[str, AnySetting],
    path: str,
    elsewhere: Elsewhere = nowhere,
) -> dict[str, int | float | str]:
    """The values of `given`, typed.

    Args:
        path: of the settings in the Experiment.
        elsewhere: whether Katib's own service takes a setting of this name and value.

    Raises:
        ExperimentError: an unknown setting, a wrong type, or out of range; each is named.
    """
    values: dict[str, int | float | str] = {}
    wrong = []
    for number, (name, text) in enumerate(given.items()):
        here = " is not built for local runs" if elsewhere(name, text) else ""
        if name not in known:
            has = ", ".join(known) if known else "none"
            what = f"{algorithm}'s setting {name}{here}" if here else f"{algorithm} has no setting {name}"
            wrong.append(error(f"{path}.{number}.name", f"{what}; it has {has}"))
            continue
        value = known[name].value(text)
        if value is None:
            what = f'{name} "{text}" of {algorithm}{f"{here}; it" if here else ""} must be {known[name].meaning}'
            wrong.append(error(f"{path}.{number}.value", what))
        else:
            values[name] = value
    if wrong:
        raise ExperimentError(*wrong)
    return values
