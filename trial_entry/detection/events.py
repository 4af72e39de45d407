"""TensorBoard events: training scalars under train/, metrics and the HParams summary under eval/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from trial_entry.contract.files import EVALUATION_EVENTS_FOLDER, TRAIN_EVENTS_FOLDER

if TYPE_CHECKING:
    import tensorflow as tf

HPARAMS = "tensorboard.plugins.hparams.api"  # what is imported for them


class Events:
    """Writes a trial's events; a context manager, since its files are to be closed."""

    def __init__(self, folder: Path, assignments: Mapping[str, str]) -> None:
        import tensorflow as tf
        from tensorboard.plugins.hparams import api as hparams

        self._train = tf.summary.create_file_writer(str(folder / TRAIN_EVENTS_FOLDER))
        self._eval = tf.summary.create_file_writer(str(folder / EVALUATION_EVENTS_FOLDER))
        if assignments:
            with self._eval.as_default():
                searched = {name: value for name, value in assignments.items() if not name.endswith("_path")}
                values = {name: _number_or_text(value) for name, value in searched.items()}
                hparams.hparams(values, trial_id=str(folder))  # by default trials of equal values are shown as one

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._train.close()
        self._eval.close()

    def training(self, step: int, scalars: Mapping[str, float]) -> None:
        """Losses, learning rate and speed after `step` steps."""
        self._write(self._train, step, scalars)

    def evaluation(self, step: int, metrics: Mapping[str, float]) -> None:
        """The metrics of the checkpoint of `step`."""
        self._write(self._eval, step, metrics)

    def _write(self, writer: tf.summary.SummaryWriter, step: int, scalars: Mapping[str, float]) -> None:
        import tensorflow as tf

        with writer.as_default():
            for name, value in scalars.items():
                tf.summary.scalar(name, value, step=step)
        writer.flush()


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
