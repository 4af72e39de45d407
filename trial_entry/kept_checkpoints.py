"""A trial's MODEL_DIR as a folder of checkpoints: which are there to go on from, made the last one, or swept away.

`checkpoint` names the last one; but a disk loses files, and a trial may be killed between any two of them. So what is
named and is not there does not count, and what is there and is not named does. Nothing here needs TensorFlow.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trial_entry.contract.files import BEST_FOLDER, CHECKPOINT_FILE
from trial_entry.model_dir import checkpoint_names, write_atomically

_INDEX = ".index"
_NAME = re.compile(r"ckpt-(\d+)")
_FILE = re.compile(r"(ckpt-\d+)(\.index|\.data-\d{5}-of-\d{5}|_temp)")


@dataclass(frozen=True)
class KeptCheckpoint:
    """One checkpoint that is there, by its index.

    Attributes:
        step: training steps that it has.
        prefix: of its files.
    """

    step: int
    prefix: Path

    def files(self) -> list[Path]:
        """Its files, the index last."""
        found = sorted(self.prefix.parent.glob(f"{self.prefix.name}.*"))
        return sorted(found, key=lambda file: file.suffix == _INDEX)


def checkpoints_to_go_on_from(folder: Path, last: int) -> Iterator[KeptCheckpoint]:
    """What of `folder` training can go on from, the likeliest first: what `checkpoint` names, then others by step.

    The one under best/ is of an earlier step as a rule, chosen for how well it did, and then none of them; where it is
    the last, it is the same files once more.

    Args:
        last: the step that the last one should have.
    """
    named = [folder / name for name in _named(folder)]
    others = sorted(folder.glob(f"ckpt-*{_INDEX}"), key=_step_of_file, reverse=True)
    best = [folder / BEST_FOLDER / f"ckpt-{last}"]
    seen = set()
    for prefix in (*named, *(file.with_suffix("") for file in others), *best):
        found = _NAME.fullmatch(prefix.name)
        if found and prefix not in seen and prefix.with_name(prefix.name + _INDEX).is_file():
            seen.add(prefix)
            yield KeptCheckpoint(int(found[1]), prefix)


def last_step(folder: Path) -> int | None:
    """The step of the folder's last checkpoint; None where there is none."""
    return next((each.step for each in checkpoints_to_go_on_from(folder, -1)), None)


def make_last(folder: Path, chosen: KeptCheckpoint) -> None:
    """Let `checkpoint` name `chosen`, which is brought out of best/ by hard links where it lies there."""
    if chosen.prefix.parent != folder:
        for file in folder.glob(f"{chosen.prefix.name}.*"):
            file.unlink()
        for file in chosen.files():
            os.link(file, folder / file.name)
    if _named(folder)[:1] != [chosen.prefix.name]:
        name_as_last(folder, chosen.prefix.name)


def name_as_last(folder: Path, name: str) -> None:
    """Write the file `checkpoint` as TensorFlow does."""
    text = f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'
    write_atomically(folder / CHECKPOINT_FILE, text)


def sweep(folder: Path, kept: str) -> None:
    """Remove the files of every checkpoint of `folder` but `kept`, whole or not; best/ stays."""
    for file in folder.glob("ckpt-*"):
        found = _FILE.fullmatch(file.name)
        if found and found[1] != kept:
            shutil.rmtree(file, ignore_errors=True) if file.is_dir() else file.unlink(missing_ok=True)


def _named(folder: Path) -> list[str]:
    """What `checkpoint` names, the last first; a damaged one names nothing."""
    try:
        text = (folder / CHECKPOINT_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [Path(name).name for name in checkpoint_names(text)]


def _step_of_file(index: Path) -> int:
    found = _NAME.fullmatch(index.stem)
    return int(found[1]) if found else -1
