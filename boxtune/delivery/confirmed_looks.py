"""Delivery's count of looks that `boxtune confirm` took at a split, for the search that a model is of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxtune.delivery.model import Model
from boxtune.delivery.training_record import TrainingRecord, read_training
from boxtune.errors import RunFolderError
from boxtune.local.journal import JOURNAL_FILE
from boxtune.local.reading import open_run
from boxtune.runs.confirmation import Confirmation
from trial_entry.pipeline_config.inputs import TEST
from trial_entry.storage.urls import is_remote


def looks_of(confirmation: Confirmation | None) -> tuple[str, int]:
    """Digest of the test split's records, and which look a confirmation was at them; nothing where it took none."""
    if confirmation is None or confirmation.split != TEST:
        return "", 0
    return confirmation.data_digest, confirmation.look


def confirmed_looks(model: Model, digest: str) -> int:
    """How often the model's search had looked at the records of this digest, as far as can be told from here.

    Told by what `boxtune train` wrote down, and by the run itself where it still is: the one that was trained from, or
    the one in which the model lies. What cannot be read says nothing.

    Raises:
        InputError: training.json is none.
    """
    training = read_training(model.home) or read_training(model.folder)
    told = [(training.confirmed_data, training.confirmed_look)] if training is not None else []
    for folder in _runs(model, training):
        try:
            told.append(looks_of(open_run(folder).confirmation))
        except RunFolderError:
            continue
    return max((look for data, look in told if data == digest), default=0)


def _runs(model: Model, training: TrainingRecord | None) -> Iterator[Path]:
    """Folders of runs that the model may be of."""
    named = [Path(training.source)] if training is not None and not is_remote(training.source) else []
    for folder in (*named, *model.folder.resolve().parents):
        if (folder / JOURNAL_FILE).is_file():
            yield folder
