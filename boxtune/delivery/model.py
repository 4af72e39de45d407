"""Delivery's models: a trained detector's folder, whoever made it, and which checkpoint of it counts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.digests import sha256_of
from boxtune.delivery.asking import request_errors
from boxtune.delivery.manifest import verify
from boxtune.delivery.training_record import TRAINING_FILE, read_training
from boxtune.errors import InputError
from boxtune.local.journal import JOURNAL_FILE
from trial_entry.contract.files import BEST_FOLDER, CHECKPOINT_FILE, CONFIG_FILE
from trial_entry.contract.records import TrialRecord, read_trial
from trial_entry.model_dir import checkpoint_names
from trial_entry.pipeline_config.render import config_digest
from trial_entry.pipeline_config.text import read_config
from trial_entry.storage.paths import local_folder
from trial_entry.storage.urls import is_remote

CHECKPOINT_FOLDER = "checkpoint"  # as published models of the API have it


@dataclass(frozen=True)
class Model:
    """A trained detector.

    Attributes:
        place: as whoever named it wrote it.
        folder: its MODEL_DIR, or a published version.
        checkpoint: the prefix of the checkpoint that counts.
        home: the folder of the whole training, where there were several seeds, else the same.
        log: the folder or gs:// prefix that keeps its history: beside a published version, in any other model's home.
        is_published: whether it is a version.
        is_fixed: whether nothing can be written beside it: it is a version, or a copy of what lies in a bucket.
    """

    place: str
    folder: Path
    checkpoint: str
    home: Path
    log: str
    is_published: bool = False
    is_fixed: bool = False

    @property
    def config(self) -> Path:
        """Its pipeline.config."""
        return self.folder / CONFIG_FILE

    @property
    def step(self) -> str:
        """The checkpoint's, as its name has it."""
        return self.checkpoint.rpartition("-")[2]

    @property
    def checkpoint_name(self) -> str:
        """The checkpoint's prefix, relative to the folder."""
        return os.path.relpath(self.checkpoint, self.folder)

    def checkpoint_digest(self) -> str:
        """SHA-256 of the checkpoint's index, which has a checksum of every weight.

        Raises:
            InputError: the checkpoint is not whole.
        """
        files = sorted(Path(self.checkpoint).parent.glob(f"{Path(self.checkpoint).name}.data-*-of-*"))
        count = int(files[0].name.rpartition("-")[2]) if files else 0
        if not count or len(files) != count:
            raise InputError(f"{self.checkpoint}: {len(files)} of its data files are here; copy them all")
        return sha256_of(Path(f"{self.checkpoint}.index"))

    def config_digest(self) -> str:
        """SHA-256 of its config without the input paths.

        Raises:
            InputError: it is no config.
        """
        with request_errors():
            return config_digest(read_config(self.config))

    def record(self) -> TrialRecord:
        """Its trial.json; empty of a model that no trial left.

        Raises:
            InputError: it is no such record.
        """
        with request_errors():
            return read_trial(self.folder)


def open_model(place: str) -> Model:
    """The model in a folder or gs:// prefix: what `boxtune train` made (its best seed), a trial's MODEL_DIR, or a
    published version.

    The checkpoint that counts is the one in best/, else the folder's last.

    Raises:
        InputError: there is no model; the message says what is missing.
    """
    with request_errors():
        home = local_folder(place)
    if not home.is_dir():
        raise InputError(f"{place}: no such folder; boxtune train makes a model of a run, or of a search on a cluster")
    folder, is_published = home, verify(home) is not None
    training = None if is_published else read_training(home)
    if training is not None:
        if training.chosen is None:
            raise InputError(f"{place}: the training has not ended; the same boxtune train goes on")
        folder = home / training.chosen
    if not (folder / CONFIG_FILE).is_file():
        hint = "a model is what boxtune train makes, or a trial's model_dir: a pipeline.config beside its checkpoint"
        if (home / JOURNAL_FILE).exists():
            hint = f"it is a run; boxtune train {place} makes a model of its best trial"
        raise InputError(f"{place}: no {CONFIG_FILE} here; {hint}")
    checkpoint = next(filter(None, map(latest_checkpoint, _checkpoint_folders(folder))), None)
    if checkpoint is None:
        raise InputError(
            f"{folder}: no checkpoint here (no file named {CHECKPOINT_FILE} names one); trials of a run keep theirs by "
            "boxtune run --keep, and boxtune train makes one"
        )
    is_remote_place, log = is_remote(place), place
    if is_published:
        log = _parent(place)
    elif not is_remote_place and (folder.resolve().parent / TRAINING_FILE).is_file():  # its seeds have one history
        home = folder.resolve().parent
        log = str(home)
    return Model(place, folder, checkpoint, home, log, is_published, is_published or is_remote_place)


def _parent(place: str) -> str:
    return place.rstrip("/").rpartition("/")[0] if is_remote(place) else str(Path(place).resolve().parent)


def _checkpoint_folders(folder: Path) -> tuple[Path, ...]:
    return (folder / BEST_FOLDER, folder, folder / CHECKPOINT_FOLDER)


def latest_checkpoint(folder: Path) -> str | None:
    """The prefix of the checkpoint that the `checkpoint` file of a folder names; None where there is none whole.

    Raises:
        InputError: it names files that are not there.
    """
    file = folder / CHECKPOINT_FILE
    if not file.is_file():
        return None
    named = checkpoint_names(file.read_text(encoding="utf-8", errors="replace"))
    if not named:
        raise InputError(f"{file}: names no checkpoint; it was damaged")
    beside = folder / Path(named[0]).name  # the stock tools may write where it was before the folder was copied
    for prefix in (beside, folder / named[0]):
        if Path(f"{prefix}.index").is_file():
            return str(prefix)
    raise InputError(f"{file}: names {named[0]}, which is not there; copy the checkpoint's files too")
