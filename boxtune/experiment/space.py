"""The search space: what each parameter may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from kubeflow_katib_api.models import V1beta1FeasibleSpace, V1beta1ParameterSpec

from boxtune.errors import ExperimentError
from boxtune.problems import error
from trial_entry.pipeline_config.values import same_value

_MOST_VALUES = 2**53  # beyond, neighbours are the same number

Assignments = dict[str, str]
ParameterType = Literal["double", "int", "discrete", "categorical"]
Distribution = Literal["uniform", "logUniform", "normal", "logNormal"]


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of the search space.

    Attributes:
        name: Katib's name for it.
        parameter_type: double and int have a range, discrete and categorical have values; a discrete list of texts is
            categorical.
        low, high: ends of the range, both included.
        step: distance of neighbouring values from `low` on, or None.
        values: of a discrete or categorical parameter, in the order of the file.
        distribution: of a range.
    """

    name: str
    parameter_type: ParameterType
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    values: tuple[str, ...] = ()
    distribution: Distribution = "uniform"

    @classmethod
    def parse(cls, given: V1beta1ParameterSpec, path: str) -> ParameterSpec:
        """From one entry of `spec.parameters`, which stands at `path`.

        Raises:
            ExperimentError: Katib accepts the entry, but nothing could be suggested from it.
        """
        name, kind = given.name or "", cast(ParameterType, given.parameter_type)
        space, where = given.feasible_space or V1beta1FeasibleSpace(), f"{path}.feasibleSpace"
        if kind in ("discrete", "categorical"):
            values = _values(space, where)
            is_text = None in map(_finite, values)  # Katib's services make choices of all lists
            return cls(name, "categorical" if is_text else kind, values=values)
        low, high = _number(f"{where}.min", space.min), _number(f"{where}.max", space.max)
        step = _number(f"{where}.step", space.step) if space.step else None
        distribution = cast(Distribution, space.distribution or "uniform")
        if low > high:
            raise _unusable(where, f"min {space.min} is above max {space.max}")
        if step is not None and step <= 0:
            raise _unusable(f"{where}.step", f"step {space.step} must be above 0")
        if distribution.startswith("log") and low <= 0:
            raise _unusable(where, f"a {distribution} range must lie above 0, but min is {space.min}")
        if not math.isfinite(high - low):
            raise _unusable(where, f"{space.min} to {space.max} is wider than a number can say")
        if (step or kind == "int") and (high - low) / (step or 1.0) > _MOST_VALUES:
            raise _unusable(where, f"{space.min} to {space.max} has too many steps", "make step larger")
        if kind == "int" and any(not float(end).is_integer() for end in (low, high, step or 1)):
            raise _unusable(where, "min, max and step of an int must be whole numbers")
        return cls(name, kind, low, high, step, (), distribution)

    @property
    def count(self) -> int | None:
        """The number of values that it can have; None where they are not finite."""
        if self.values:
            return len(self.values)
        if self.low == self.high:
            return 1
        step = self.step or (1.0 if self.parameter_type == "int" else None)
        return None if step is None else int((_decimal(self.high) - _decimal(self.low)) // _decimal(step)) + 1

    @property
    def ends(self) -> tuple[str, ...]:
        """Both ends of a range, or every listed value."""
        return self.values or tuple(dict.fromkeys((self.text(self.low), self.text(self.high))))

    def value_at(self, index: int) -> str:
        """The value at `index` of a finite parameter, from 0, in order."""
        if self.values:
            return self.values[index]
        return self.text(float(_decimal(self.low) + _decimal(self.step or 1.0) * index))

    def index_of(self, value: str) -> int:
        """The index of the value nearest to `value` in a finite parameter.

        Raises:
            ValueError: a list that does not have it.
        """
        if self.values:
            canonical = self.canonical(value)
            if canonical is None:
                raise ValueError(f"{value} is no value of {self.name}")
            return self.values.index(canonical)
        return int((self._on_grid(float(value)) - _decimal(self.low)) / _decimal(self.step or 1.0))

    def text(self, value: float) -> str:
        """The number of a range as an assignment writes it, on its grid where it has one."""
        if self.parameter_type == "int":
            return str(int(self._on_grid(value)))
        return repr(float(self._on_grid(value)) if self.step else float(value))

    def _on_grid(self, value: float) -> Decimal:
        """The grid's value nearest to `value`, in decimals: 0.1 + 2 * 0.1 is 0.3, not 0.30000000000000004."""
        low, step = _decimal(self.low), _decimal(self.step or 1.0)
        steps: int = round((_decimal(value) - low) / step)
        return low + step * min(max(steps, 0), (self.count or 1) - 1)

    def contains(self, value: str) -> bool:
        """Whether `value` lies in the space (its step is not looked at)."""
        if self.values:
            return self.canonical(value) is not None
        try:
            return self.low <= float(value) <= self.high
        except ValueError:
            return False

    def allows(self, value: str) -> bool:
        """Whether `value` is one of the list, or a finite number, be it in the range or not."""
        return self.canonical(value) is not None if self.values else _finite(value) is not None

    def canonical(self, value: str) -> str | None:
        """`value` as the list writes it (`16` for `16.0`, `false` for `off`); None where it has no such value."""
        if value in self.values:
            return value
        return next((listed for listed in self.values if same_value(listed, value)), None)


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))


def _values(space: V1beta1FeasibleSpace, where: str) -> tuple[str, ...]:
    """The values of a list, each once."""
    values = tuple(dict.fromkeys(space.list or ()))
    if not values:
        raise _unusable(f"{where}.list", "the list is empty", "name at least one value")
    return values


def _number(path: str, text: str | None) -> float:
    value = _finite(text or "")
    if value is None:
        raise _unusable(path, f'"{text}" is no number')
    return value


def _finite(text: str) -> float | None:
    """The number that a text is; None where it is none."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _unusable(path: str, what: str, right: str = "") -> ExperimentError:
    return ExperimentError(error(path, what, right, "accepted; then no suggestion ever comes"))


def inside(space: Sequence[ParameterSpec], assignments: Assignments) -> bool:
    """Whether `assignments` give every parameter a value in its space."""
    return all(spec.name in assignments and spec.contains(assignments[spec.name]) for spec in space)
