"""Objectives whose optimum is known, and a detector's recorded one, for comparing search algorithms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from boxtune.experiment.space import Assignments, ParameterSpec

SURFACE = Path(__file__).with_name("detector_surface.json")


@dataclass(frozen=True)
class Function:
    """Something to minimise.

    Attributes:
        space: its parameters.
        value: at assignments.
        least: the smallest value that there is.
    """

    name: str
    space: tuple[ParameterSpec, ...]
    value: Callable[[Assignments], float]
    least: float


def _box(*ends: tuple[float, float]) -> tuple[ParameterSpec, ...]:
    return tuple(ParameterSpec(f"x{number}", "double", low, high) for number, (low, high) in enumerate(ends))


def _of(point: Assignments) -> list[float]:
    return [float(value) for value in point.values()]


def _branin(point: Assignments) -> float:
    x, y = _of(point)
    bowl = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_HARTMANN_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def _hartmann(point: Assignments) -> float:
    inner = (_HARTMANN_A * (np.array(_of(point)) - _HARTMANN_P) ** 2).sum(axis=1)
    return float(-(np.array([1.0, 1.2, 3.0, 3.2]) * np.exp(-inner)).sum())


def _rosenbrock(point: Assignments) -> float:
    x = _of(point)
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))


def _ackley(point: Assignments) -> float:
    x = np.array(_of(point))
    return float(
        -20 * math.exp(-0.2 * math.sqrt((x**2).mean())) - math.exp(np.cos(2 * math.pi * x).mean()) + 20 + math.e
    )


def _mixed(point: Assignments) -> float:
    """A rate on a logarithmic scale, a power of two, a choice that shifts the best rate, and a plain number."""
    rate, size, plain = math.log10(float(point["rate"])), math.log2(float(point["size"])), float(point["plain"])
    shift = {"a": 0.0, "b": 0.5, "c": -0.5}[point["kind"]]
    return (
        (rate + 3 + shift) ** 2
        + 0.2 * (size - 4) ** 2
        + (plain - 0.3) ** 2
        + {"a": 0.0, "b": 0.1, "c": 0.3}[point["kind"]]
    )


FUNCTIONS: Sequence[Function] = (
    Function("Branin 2", _box((-5, 10), (0, 15)), _branin, 0.397887),
    Function("Hartmann 6", _box(*[(0, 1)] * 6), _hartmann, -3.32237),
    Function("Rosenbrock 3", _box(*[(-2, 2)] * 3), _rosenbrock, 0.0),
    Function("Ackley 4", _box(*[(-15, 10)] * 4), _ackley, 0.0),
    Function(
        "mixed 4",
        (
            ParameterSpec("rate", "double", 1e-5, 1e-1, None, (), "logUniform"),
            ParameterSpec("size", "discrete", values=("4", "8", "16", "32", "64")),
            ParameterSpec("plain", "double", 0.0, 1.0),
            ParameterSpec("kind", "categorical", values=("a", "b", "c")),
        ),
        _mixed,
        0.0,
    ),
)


def detector() -> Function:
    """1 - mAP of the demo's detector, recorded on a grid and linear between the learning rates."""
    recorded = json.loads(SURFACE.read_text())
    rates: list[float] = recorded["learning_rate"]
    table: Mapping[str, list[float]] = recorded["mAP"]  # by "batch_size/optimizer", one a learning rate

    def value(point: Assignments) -> float:
        heights = table[f"{point['batch_size']}/{point['optimizer']}"]
        return 1.0 - float(np.interp(math.log(float(point["learning_rate"])), np.log(rates), heights))

    space = (
        ParameterSpec("learning_rate", "double", rates[0], rates[-1], None, (), "logUniform"),
        ParameterSpec("batch_size", "discrete", values=tuple(recorded["batch_size"])),
        ParameterSpec("optimizer", "categorical", values=tuple(recorded["optimizer"])),
    )
    return Function("detector 3", space, value, 1.0 - max(max(heights) for heights in table.values()))
