"""Checkpoints as the stock tools write and read them: objects `step`, `model`, `optimizer`; files `ckpt-STEP`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from trial_entry.contract.files import BEST_FOLDER, CHECKPOINT_FILE
from trial_entry.detection.model import BuiltModel
from trial_entry.errors import ConfigError, ModelDirError, first_line
from trial_entry.kept_checkpoints import last_step, name_as_last, sweep
from trial_entry.model_dir import FULL, latest_remote
from trial_entry.storage.paths import is_file
from trial_entry.storage.urls import Remote

if TYPE_CHECKING:
    import tensorflow as tf

_PREFIX = "ckpt-"  # CheckpointManager's


class Checkpoints:
    """Saves and restores one trial's checkpoints in its MODEL_DIR; the last is kept, and the best.

    Which one is the last is settled before (`trial_entry.detection.going_on`).
    """

    def __init__(self, built: BuiltModel, folder: Path) -> None:
        import tensorflow as tf

        self._folder = folder
        self._built = built
        self._checkpoint = _objects(built)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), max_to_keep=1)

    def restore_last(self) -> int | None:
        """Restore the last checkpoint; returns its step, or None where there is none."""
        last = self._manager.latest_checkpoint
        if last is None:
            return None
        with self._built.objects_lock:
            restore(self._checkpoint, last)
        return int(self._built.global_step.numpy())

    def save(self) -> int:
        """Save the current state as `ckpt-STEP`; returns the step.

        Raises:
            ModelDirError: the disk is full or the folder cannot be written.
        """
        import tensorflow as tf

        step = int(self._built.global_step.numpy())
        try:
            with self._built.objects_lock:
                self._manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            raise self._unwritable(step, error) from None
        sweep(self._folder, f"{_PREFIX}{step}")
        return step

    def _unwritable(self, step: int, error: Exception) -> ModelDirError:
        said = str(error)
        is_full = any(os.strerror(number) in said for number in FULL)
        why = "the disk is full; make room, and the same command goes on" if is_full else first_line(said)
        return ModelDirError(f"{self._folder}: the checkpoint of step {step} cannot be written: {why}")

    def best_step(self) -> int | None:
        """Of the checkpoint under `best/`; None where there is none."""
        return last_step(self._folder / BEST_FOLDER)

    def keep_as_best(self) -> None:
        """Keep the last checkpoint under `best/` too, by hard links: the same bytes, no more space."""
        last = Path(self._manager.latest_checkpoint)
        best = self._folder / BEST_FOLDER
        best.mkdir(exist_ok=True)
        for file in last.parent.glob(last.name + ".*"):
            (best / file.name).unlink(missing_ok=True)  # of an earlier training, whose last checkpoint was lost
            os.link(file, best / file.name)
        name_as_last(best, last.name)
        sweep(best, last.name)  # last: a disk that is full, or a kill, leaves the one before whole


def _objects(built: BuiltModel) -> tf.train.Checkpoint:
    import tensorflow as tf

    return tf.train.Checkpoint(step=built.global_step, model=built.model, optimizer=built.optimizer)


def restore(checkpoint: tf.train.Checkpoint, prefix: str) -> None:
    """Restore `prefix` into the objects of `checkpoint`; what the file has beyond them is no matter.

    Raises:
        ConfigError: unreadable, or of another model.
    """
    import tensorflow as tf

    try:
        checkpoint.restore(prefix).assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        raise _unreadable(prefix, error) from None


def _unreadable(prefix: str, error: Exception) -> ConfigError:
    return ConfigError(f"{prefix}: not a checkpoint of this config's model: {str(error).strip().splitlines()[0]}")


def restore_for_evaluation(built: BuiltModel, prefix: str) -> None:
    """Restore the model of any trainer's checkpoint, and its step where it has one (an exporter's has none).

    Raises:
        ConfigError: unreadable, of another model, or without the moving averages that `built` has a place for.
    """
    import tensorflow as tf

    objects = {"model": built.model}
    try:
        names = {name.partition("/")[0] for name, _ in tf.train.list_variables(prefix)}
    except (ValueError, tf.errors.OpError) as error:
        raise _unreadable(prefix, error) from None
    if "step" in names:
        objects["step"] = built.global_step
    if built.optimizer is not None:
        if "optimizer" not in names:
            raise ConfigError(
                f"{prefix}: has no moving averages to measure; take a training's checkpoint, or set "
                "eval_config.use_moving_averages to false"
            )
        objects["optimizer"] = built.optimizer
    restore(tf.train.Checkpoint(**objects), prefix)


def latest(folder: Path) -> str | None:
    """The prefix of the latest checkpoint in `folder`, by its `checkpoint` file."""
    import tensorflow as tf

    found = tf.train.latest_checkpoint(str(folder))
    return None if found is None else str(found)


def existing_checkpoint(prefix: str | None, *folders: Path | Remote) -> str:
    """The prefix of the checkpoint that is meant: the one that is named, else the latest of the first folder with one.

    Raises:
        ConfigError: there is none.
        DataError: a bucket cannot be read.
    """
    found = (latest(folder) if isinstance(folder, Path) else latest_remote(folder) for folder in folders)
    prefix = prefix or next(filter(None, found), None)
    if prefix is None:
        raise ConfigError(f"{folders[-1]}: no checkpoint here (no file named {CHECKPOINT_FILE} names one)")
    if not is_file(f"{prefix}.index"):
        raise ConfigError(f"{prefix}: no checkpoint has this prefix; its files are PREFIX.index and PREFIX.data-…")
    return prefix
