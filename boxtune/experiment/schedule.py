"""How many steps the whole training of assignments has, from the config that they make."""

from __future__ import annotations

from collections.abc import Callable

from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_config import TrialConfig
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import count_train_examples


def schedule_of(
    trials: TrialConfig | None, num_steps: int | None = None, resolve: bool = True
) -> Callable[[Assignments], int | None]:
    """A function from assignments to the steps of their whole training; each is rendered once.

    Args:
        trials: what assignments make; None where that cannot be told, and then nothing can.
        num_steps: what every training is shortened to, or None.
        resolve: whether the records must be here, as on the machine that trains; without them nothing can be told where
            `epochs` is assigned.

    Returns:
        What gives None for assignments that make no config, which the trial will say.
    """
    known: dict[tuple[tuple[str, str], ...], int | None] = {}
    counts: dict[tuple[str, ...], int] = {}

    def count(config: TrainEvalPipelineConfig) -> int:
        paths = tuple(config.train_input_reader.tf_record_input_reader.input_path)
        if paths not in counts:
            counts[paths] = count_train_examples(config)
        return counts[paths]

    def steps(assignments: Assignments) -> int | None:
        if num_steps is not None:
            return num_steps
        key = tuple(sorted(assignments.items()))
        if key not in known:
            known[key] = _steps(trials, assignments, count, resolve)
        return known[key]

    return steps


def _steps(
    trials: TrialConfig | None,
    assignments: Assignments,
    count: Callable[[TrainEvalPipelineConfig], int],
    resolve: bool,
) -> int | None:
    if trials is None or trials.base is None:
        return None
    try:
        return trials.steps(assignments, count, resolve)
    except RequestError:
        return None
