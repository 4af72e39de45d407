"""A detector that learns at once: curves for any assignments, from those that record_curves.py recorded.

A Gaussian process over the recorded configs gives the curve to be expected at each of the nine evaluations, for the
logarithms of mAP and of validation loss. What a seed does to it is drawn: half the difference (as far as one seed lies
from their mean, times the root of two) of a recorded config's two seeds, whole curves at a time, so that a training
that is ahead stays ahead. It is drawn from the configs that end nearly as well, since the worse a detector is, the more
of its mAP a seed decides: two thirds of it below 0.05, an eighth above 0.15. As long as only one seed is recorded, what
the process leaves unexplained is drawn instead, made so small that mAP at the end differs by ASSUMED of itself: an
assumption, and it is said.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boxtune.experiment.space import Assignments
from boxtune.search.cube import Cube
from boxtune.search.gaussian_process import Array, GaussianProcess
from tests.benchmarks.record_curves import CURVES, EVALUATIONS, METRICS, SPACE

WHOLE = 42 * EVALUATIONS  # steps of a training, in batches of 16: with other batches a pass over the data costs as much
ASSUMED = 0.034 / 0.156  # of mAP, a seed's standard deviation (docs/speed.md), where no second seed is recorded
ALIKE = 32  # residuals, of the configs that end most nearly as well, of which one is drawn: of a quarter of them
_LAST = EVALUATIONS - 1  # of mAP, among the evaluations of both metrics
_LEAST = {"mAP": 1e-3, "total_loss": 0.0}  # added before the logarithm


@dataclass(frozen=True)
class LearningCurves:
    """Curves of SPACE's assignments.

    Attributes:
        processes: one an evaluation of a metric, mAP's first; of standardised logarithms.
        means, deviations: of the logarithms, by the same order.
        residuals: (curves, evaluations of both metrics) of one seed, in logarithms.
        levels: (curves,) of the last mAP's logarithm, of the config that each residual was seen at.
        recorded: configs that were recorded.
        has_seeds: whether the residuals are differences of seeds.
    """

    processes: tuple[GaussianProcess, ...]
    means: Array
    deviations: Array
    residuals: Array
    levels: Array
    recorded: int
    has_seeds: bool

    @classmethod
    def read(cls, path: Path = CURVES) -> LearningCurves:
        """From what was recorded; trainings that diverged before the last evaluation are left out."""
        file = json.loads(path.read_text())
        curves: dict[int, list[Array]] = {}
        for training in file["trainings"]:
            if all(len(training[name]) == EVALUATIONS for name in METRICS):
                curves.setdefault(training["config"], []).append(_logarithms(training))
        cube = Cube(SPACE)
        points = cube.columns(np.stack([cube.point(file["configs"][number]) for number in curves]))
        logarithms = np.stack([np.mean(seeds, axis=0) for seeds in curves.values()])
        means, deviations = logarithms.mean(axis=0), logarithms.std(axis=0)
        standard = (logarithms - means) / deviations
        seeds = np.array([1.0 / len(each) for each in curves.values()])
        processes = tuple(GaussianProcess(points, column, seeds, cube.groups) for column in standard.T)
        twice = [each[:2] for each in curves.values() if len(each) > 1]
        if len(twice) >= len(curves) / 2:
            halves = np.stack([(one - other) / math.sqrt(2) for one, other in twice])
            residuals = np.concatenate([halves, -halves])
            levels = np.tile([(one + other)[_LAST] / 2 for one, other in twice], 2)
        else:
            expected = np.stack([process.expect(points)[0] for process in processes], axis=1)
            residuals = (standard - expected) * deviations
            residuals = residuals * (ASSUMED / residuals[:, _LAST].std())
            levels = logarithms[:, _LAST]
        return cls(processes, means, deviations, residuals, levels, len(curves), len(twice) >= len(curves) / 2)

    def expected(self, assignments: Assignments) -> Array:
        """The logarithms to be expected, (evaluations of both metrics,)."""
        cube = Cube(SPACE)
        column = cube.columns(cube.point(assignments)[None, :])
        standard = np.array([process.expect(column)[0][0] for process in self.processes])
        logarithms: Array = standard * self.deviations + self.means
        return logarithms

    def worth(self, assignments: Assignments) -> float:
        """The mAP to be expected of a whole training, whatever its seed."""
        return _metrics(self.expected(assignments))[-1]["mAP"]

    def measured(self, assignments: Assignments, dice: np.random.Generator) -> list[Mapping[str, float]]:
        """What one training measures at each evaluation."""
        expected = self.expected(assignments)
        alike = np.argsort(abs(self.levels - expected[_LAST]), kind="stable")[:ALIKE]
        return _metrics(expected + self.residuals[dice.choice(alike)])


def _logarithms(training: Mapping[str, list[float]]) -> Array:
    return np.concatenate([np.log(np.array(training[name]) + _LEAST[name]) for name in METRICS])


def _metrics(logarithms: Array) -> list[Mapping[str, float]]:
    columns = {
        name: np.maximum(np.exp(part) - _LEAST[name], 0.0)
        for name, part in zip(METRICS, np.split(logarithms, len(METRICS)), strict=True)
    }
    return [{name: float(column[place]) for name, column in columns.items()} for place in range(EVALUATIONS)]
