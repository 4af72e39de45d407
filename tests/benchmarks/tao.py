"""NVIDIA TAO's asha (nvidia-tao-automl) driven alone, as a search of `tests.benchmarks.replays`.

Its decisions are its own: whom it promotes, and when. Its draws are replaced, since it knows no logarithmic scale for a
number: it begins with the base config and draws from the space as random search does here, which can only help it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import coordinate

_EPOCHS = "train.num_epochs"
Measured = Callable[[Assignments, int, int], float]
"""What a config (its number) with these assignments measures after so many evaluations' worth of training."""


class _Store:
    """What TAO keeps a job's configuration in."""

    def get_job_specs(self, job: str) -> dict[str, Any]:
        section, _, name = _EPOCHS.partition(".")
        return {section: {name: 0}}

    def save_job_specs(self, job: str, specs: Mapping[str, Any]) -> None: ...

    def get_custom_param_ranges(self, handler: str) -> dict[str, Any]:
        return {}


def trainings(
    seed: int, space: Sequence[ParameterSpec], default: Assignments, whole: int, eta: int, measured: Measured
) -> Iterator[tuple[Assignments, int, int, float]]:
    """One rung after the other, without end: assignments, trained before, trained to, what it measured."""
    from tao_automl.brain.asha import ASHA
    from tao_automl.types import JobStates, Recommendation, ResumeRecommendation

    dice = np.random.default_rng(seed)

    class OurDraws(ASHA):  # type: ignore[misc]
        def _generate_random_parameters(self) -> dict[str, str]:
            if not self.config_specs:
                return dict(default)
            return {spec.name: coordinate(spec).decode(float(dice.random())) for spec in space}

    context = SimpleNamespace(id=str(seed), handler_id="replay")
    brain = OurDraws(context, _Store(), "", [], whole, eta, 1, 1, None, np.iinfo(int).max, "mAP")
    history: list[Any] = []
    reached: dict[int, int] = {}
    while True:
        for asked in brain.generate_recommendations(history):
            if isinstance(asked, ResumeRecommendation):
                entry, specs = history[asked.id], asked.specs
            else:
                entry, specs = Recommendation(len(history), asked, "mAP"), asked
                history.append(entry)
            assignments = {spec.name: specs[spec.name] for spec in space}
            before, target = reached.get(entry.id, 0), int(specs[_EPOCHS])
            reached[entry.id] = target
            entry.status, entry.result = JobStates.success, measured(assignments, entry.id, target)
            yield assignments, before, target, entry.result
