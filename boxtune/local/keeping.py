"""What ended trials keep on the disk: checkpoints of the best only, everything small of all; and whether more fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import InputError, Interrupted
from boxtune.runs.run import Run
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from trial_entry.contract.files import BEST_FOLDER, CHECKPOINT_FILE, CHECKPOINT_PATTERNS, TRIAL_FILE

_LEAST_FREE = 256 * 2**20  # bytes


@dataclass(frozen=True)
class Keep:
    """`--keep`: how many of the best keep their checkpoints (and the baseline with them); None for all."""

    best: int | None

    @classmethod
    def parse(cls, text: str) -> Keep:
        """`best:N`, `all` or `none`.

        Raises:
            InputError: anything else.
        """
        if text in ("all", "none"):
            return cls(None if text == "all" else 0)
        word, _, number = text.partition(":")
        if word != "best" or not number.isdecimal() or int(number) < 1:
            raise InputError(f'--keep "{text}": must be best:N with N from 1, all or none')
        return cls(int(number))


class Keeper:
    """Tidies up after a run's trials; what was tidied once is not looked at again."""

    def __init__(self, keep: Keep, folder: Path) -> None:
        self._keep = keep
        self._folder = folder
        self._tidied: set[str] = set()
        self._largest = 0  # bytes, of an ended trial

    def tidy(self, run: Run) -> None:
        """Remove the checkpoints of ended trials that are not kept; config, metrics, logs and events stay."""
        kept = self._kept(run)
        for trial in run.everything:
            over = trial.condition.ended or (bool(run.ended) and not trial.condition.open)  # paused for good
            if trial.name in self._tidied or not over or trial.folder is None:
                continue
            self._weigh(trial.folder)
            if kept is None or trial.name not in kept:
                self._tidied.add(trial.name)
                if kept is not None:
                    remove_checkpoints(trial.folder)

    def weigh(self, trials: Iterable[Trial]) -> None:
        """Learn how large trials are that have ended, without removing anything of them."""
        for trial in trials:
            if trial.condition.ended and trial.folder is not None:
                self._weigh(trial.folder)

    def refuse_full_disk(self) -> None:
        """Before a trial: is there room for one as large as the largest so far?

        Raises:
            Interrupted: no; what was finished is kept.
        """
        needed = max(_LEAST_FREE, 2 * self._largest)
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise Interrupted(
                f"{self._folder}: {free / 2**20:.0f} MiB are free, the next trial may need {needed / 2**20:.0f} MiB; "
                "make room (or run with --keep best:1) and give the same command again"
            )

    def _weigh(self, folder: Path) -> None:
        self._largest = max(self._largest, _size(folder))

    def _kept(self, run: Run) -> set[str] | None:
        """Names of the trials that keep their checkpoints; None for all."""
        if self._keep.best is None:
            return None
        objective = run.experiment.objective
        ordered = objective.best_first(run.trials, lambda trial: trial.measured_value(objective))
        kept = {trial.name for trial in ordered[: self._keep.best]}
        if self._keep.best and run.baseline is not None:
            kept.add(run.baseline.name)
        return kept


def has_lost_checkpoint(trial: Trial) -> bool:
    """Whether a trial that has trained before has nothing to go on from; never so of a MODEL_DIR that is not here."""
    if not any(attempt.ended for attempt in trial.attempts):
        return False
    config = trained_config(trial)
    return config is not None and not (config.parent / CHECKPOINT_FILE).is_file()


def remove_checkpoints(folder: Path) -> None:
    """Those below a trial's folder; config, metrics, logs and events stay."""
    for model_dir in _model_dirs(folder):
        for pattern in CHECKPOINT_PATTERNS:
            for file in model_dir.glob(pattern):
                file.unlink()
        shutil.rmtree(model_dir / BEST_FOLDER, ignore_errors=True)


def _model_dirs(folder: Path) -> Iterator[Path]:
    """Folders below a trial's own that a trial_entry trial has written."""
    for file in folder.rglob(TRIAL_FILE):
        yield file.parent


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
