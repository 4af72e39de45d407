"""Delivery's home of a training: the folder of this machine or the gs:// prefix that holds its seeds.

HOME/
    pipeline.config    what is trained
    training.json      TrainingRecord; in a bucket written once all seeds have ended
    seed-N/            the MODEL_DIR of each seed
    history/           what was done with the model
"""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from boxtune.delivery.record_files import write_record
from boxtune.delivery.training_record import TRAINING_FILE, TrainingRecord, parse_training, read_training
from boxtune.errors import InputError
from trial_entry.contract.files import CONFIG_FILE, LOCK_FILE, METRICS_FILE, TRIAL_FILE
from trial_entry.contract.records import MetricRow, TrialRecord, read_rows, read_trial
from trial_entry.model_dir import write_atomically
from trial_entry.storage import objects
from trial_entry.storage.cache import Cache
from trial_entry.storage.store import open_store
from trial_entry.storage.urls import Remote

_SEED_FOLDER = "seed-"
_COPYING = ".copying"
# Of a training that was killed before its record was written.
_BEFORE_THE_RECORD = {CONFIG_FILE, f"{CONFIG_FILE}.tmp", f"{TRAINING_FILE}.tmp"}


class TrainingHome(ABC):
    """Where a training lives.

    Attributes:
        place: as the user wrote it.
        config: the pipeline.config that its trials read.
    """

    place: str
    config: Path | Remote

    @abstractmethod
    def read(self) -> TrainingRecord | None:
        """Its training.json; None where there is none yet.

        Raises:
            InputError: it is no such record.
        """

    @abstractmethod
    def begin(self, config: str) -> None:
        """Take the place for a training of this config.

        Raises:
            InputError: it holds something else, or cannot be written.
        """

    @abstractmethod
    def config_text(self) -> str:
        """The pipeline.config of the training that is there."""

    @abstractmethod
    def keep(self, record: TrainingRecord) -> None:
        """Keep how far it is.

        Raises:
            InputError: it cannot be written.
        """

    @abstractmethod
    def take_over(self, begun: Path, seed: int) -> bool:
        """Let a seed go on from a copy of another MODEL_DIR; False where the seed has begun already.

        Raises:
            InputError: it cannot be copied.
        """

    @abstractmethod
    def model_dir(self, seed: int) -> Path | Remote:
        """The MODEL_DIR of a seed."""

    @abstractmethod
    def left(self, seed: int) -> tuple[TrialRecord, list[MetricRow]]:
        """What the seed's trial says of itself, and its evaluations.

        Raises:
            ModelDirError: it left something else.
        """

    @staticmethod
    def name(seed: int) -> str:
        """The seed's folder, relative."""
        return f"{_SEED_FOLDER}{seed}"

    def _refuse_foreign(self) -> InputError:
        return InputError(f"{self.place}: holds other files (no {TRAINING_FILE}); name another folder with --out")


class LocalHome(TrainingHome):
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder
        self.config = folder / CONFIG_FILE

    def read(self) -> TrainingRecord | None:
        """See TrainingHome."""
        return read_training(self._folder)

    def begin(self, config: str) -> None:
        """See TrainingHome."""
        if self._folder.is_dir() and {each.name for each in self._folder.iterdir()} - _BEFORE_THE_RECORD:
            raise self._refuse_foreign()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._folder / CONFIG_FILE, config)
        except OSError as error:
            what = f"{self._folder}: cannot be written: {error.strerror}"
            raise InputError(f"{what}; name another folder with --out") from None

    def config_text(self) -> str:
        """See TrainingHome."""
        return (self._folder / CONFIG_FILE).read_text(encoding="utf-8")

    def keep(self, record: TrainingRecord) -> None:
        """See TrainingHome."""
        write_record(record, self._folder / TRAINING_FILE)

    def model_dir(self, seed: int) -> Path:
        """See TrainingHome."""
        return self._folder / self.name(seed)

    def left(self, seed: int) -> tuple[TrialRecord, list[MetricRow]]:
        """See TrainingHome."""
        return read_trial(self.model_dir(seed)), read_rows(self.model_dir(seed))

    def take_over(self, begun: Path, seed: int) -> bool:
        """See TrainingHome; the copy is whole or not there."""
        folder = self.model_dir(seed)
        if folder.exists():
            return False
        copying = folder.with_name(folder.name + _COPYING)
        shutil.rmtree(copying, ignore_errors=True)
        try:
            shutil.copytree(begun, copying, ignore=shutil.ignore_patterns(LOCK_FILE))
            copying.rename(folder)
        except OSError as error:
            raise InputError(f"{folder}: {begun} cannot be copied there: {error.strerror or error}") from None
        return True


class BucketHome(TrainingHome):
    """A gs:// prefix, in which each trial keeps what it leaves as it goes."""

    def __init__(self, remote: Remote) -> None:
        self.place = remote.url
        self._remote = remote
        self._store = open_store(remote.url)
        self.config = remote / CONFIG_FILE

    def read(self) -> TrainingRecord | None:
        """See TrainingHome."""
        content = self._store.read(TRAINING_FILE)
        return None if content is None else parse_training(content, f"{self.place}/{TRAINING_FILE}")

    def begin(self, config: str) -> None:
        """See TrainingHome; a training of the same config that was cut off is gone on with."""
        names = self._store.names()
        if names and CONFIG_FILE not in names:
            raise self._refuse_foreign()
        file = Cache.from_environment().work_folder(self.place) / CONFIG_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, config)
        self._store.put(CONFIG_FILE, file)

    def keep(self, record: TrainingRecord) -> None:
        """See TrainingHome; what another process has written meanwhile stays."""
        if record.chosen is None:
            return
        file = Cache.from_environment().work_folder(self.place) / TRAINING_FILE
        write_record(record, file)
        url = f"{self._remote / TRAINING_FILE}"
        before = objects.find(url)
        objects.upload(url, file, objects.NEW if before is None else before.generation)

    def config_text(self) -> str:
        """See TrainingHome."""
        return (self._store.read(CONFIG_FILE) or b"").decode()

    def model_dir(self, seed: int) -> Remote:
        """See TrainingHome."""
        return self._remote / self.name(seed)

    def left(self, seed: int) -> tuple[TrialRecord, list[MetricRow]]:
        """See TrainingHome."""
        with tempfile.TemporaryDirectory(prefix="boxtune-seed-") as name:
            folder = Path(name)
            for file in (TRIAL_FILE, METRICS_FILE):
                self._store.fetch(f"{self.name(seed)}/{file}", folder / file)
            return read_trial(folder), read_rows(folder)

    def take_over(self, begun: Path, seed: int) -> bool:
        """See TrainingHome; what names the checkpoint goes up last, as a trial has it."""
        name = self.name(seed)
        if any(each.startswith(f"{name}/") for each in self._store.names()):
            return False
        files = sorted(file for file in begun.rglob("*") if file.is_file() and file.name != LOCK_FILE)
        for file in sorted(files, key=lambda each: "." not in each.name or each.suffix == ".json"):
            self._store.put(f"{name}/{file.relative_to(begun).as_posix()}", file)
        return True


def training_home(place: Path | Remote) -> TrainingHome:
    """The home at a place."""
    return LocalHome(place) if isinstance(place, Path) else BucketHome(place)
