"""What ended trials keep on the disk: checkpoints of the best only, everything small of all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import InputError, Interrupted
from boxtune.runs.model import Condition, Run, Trial

_CHECKPOINT_FILES = ("ckpt-*.index", "ckpt-*.data-*", "checkpoint")
_LEAST_FREE = 256 * 2**20  # bytes


@dataclass(frozen=True)
class Keep:
    """`--keep`: how many of the best keep their checkpoints; None for all."""

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

    def tidy(self, run: Run) -> None:
        """Remove the checkpoints of ended trials that are not kept; config, metrics, logs and events stay."""
        if self.best is None:
            return
        objective = run.experiment.objective
        measured = [
            (value, trial)
            for trial in run.trials
            if trial.condition is Condition.SUCCEEDED and (value := trial.value(objective)) is not None
        ]
        measured.sort(key=lambda pair: pair[0], reverse=objective.maximize)
        kept = {trial.name for _, trial in measured[: self.best]}
        if self.best and run.baseline is not None:
            kept.add(run.baseline.name)
        for trial in (*run.trials, *([run.baseline] if run.baseline else [])):
            if trial.condition.ended and trial.name not in kept and trial.folder is not None:
                _remove_checkpoints(trial.folder)


def _remove_checkpoints(folder: Path) -> None:
    for model_dir in _model_dirs(folder):
        for pattern in _CHECKPOINT_FILES:
            for file in model_dir.glob(pattern):
                file.unlink()
        shutil.rmtree(model_dir / "best", ignore_errors=True)


def _model_dirs(folder: Path) -> Iterator[Path]:
    """Folders below the trial's own that a trial_entry trial has written."""
    for file in folder.rglob("trial.json"):
        yield file.parent


def refuse_full_disk(run: Run, folder: Path) -> None:
    """Before a trial: is there room for one as large as the largest so far?

    Raises:
        Interrupted: no; what was finished is kept.
    """
    largest = max((_size(trial) for trial in run.trials if trial.condition.ended), default=0)
    needed = max(_LEAST_FREE, 2 * largest)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Interrupted(
            f"{folder}: {free / 2**20:.0f} MiB are free, the next trial may need {needed / 2**20:.0f} MiB; "
            "make room (or run with --keep best:1) and give the same command again"
        )


def _size(trial: Trial) -> int:
    if trial.folder is None or not trial.folder.is_dir():
        return 0
    return sum(file.stat().st_size for file in trial.folder.rglob("*") if file.is_file())
