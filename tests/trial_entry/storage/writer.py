"""A program that leaves in a MODEL_DIR what a trial leaves, a step in a moment, without TensorFlow.

python -m tests.trial_entry.storage.writer gs://BUCKET/PREFIX STEPS SECONDS [MIB]: goes on from the checkpoint that is
there to STEPS, one each SECONDS; a checkpoint has MIB of bytes that follow from its step. Prints `begin STEP`, then
each step as it is done.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from trial_entry.contract.files import BEST_FOLDER, CHECKPOINT_FILE
from trial_entry.contract.records import MetricRow
from trial_entry.errors import Stopped, TrialError
from trial_entry.metric_lines import next_timestamp
from trial_entry.model_dir import ModelDir, checkpoint_names, open_model_dir, write_atomically
from trial_entry.stopping import StopSignal
from trial_entry.storage.urls import Remote

NAMES = 'model_checkpoint_path: "{0}"\nall_model_checkpoint_paths: "{0}"\n'


def contents(step: int, mebibytes: int) -> tuple[bytes, bytes]:
    """Index and data of a checkpoint."""
    return f"index of {step}".encode(), random.Random(step).randbytes(mebibytes * 1024 * 1024)


def save(folder: ModelDir, step: int, mebibytes: int) -> None:
    """As a trial does: the checkpoint, what names it, then the record; the one before goes."""
    index, data = contents(step, mebibytes)
    prefix = folder.path / f"ckpt-{step}"
    prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(data)
    prefix.with_name(f"{prefix.name}.index").write_bytes(index)
    write_atomically(folder.path / CHECKPOINT_FILE, NAMES.format(prefix.name))
    for old in folder.path.glob("ckpt-*"):
        if old.name.partition(".")[0] != prefix.name:
            old.unlink()
    folder.record = replace(folder.record, steps=step)
    folder.write_record()


def measure(folder: ModelDir, step: int) -> None:
    """The last checkpoint becomes the best, then its row is written."""
    best = folder.path / BEST_FOLDER
    best.mkdir(exist_ok=True)
    for old in best.iterdir():
        old.unlink()
    for file in folder.path.glob(f"ckpt-{step}.*"):
        os.link(file, best / file.name)
    (best / CHECKPOINT_FILE).write_text(f'model_checkpoint_path: "ckpt-{step}"\n')
    folder.write_rows([*folder.read_rows(), MetricRow(step, next_timestamp(None, 0), {"mAP": step / 1000})])


def last_step(folder: Path) -> int:
    """Of the checkpoint that is named, whose files must be there."""
    file = folder / CHECKPOINT_FILE
    if not file.exists():
        return 0
    (name,) = checkpoint_names(file.read_text())
    step = int(name.removeprefix("ckpt-"))
    assert (folder / f"{name}.index").read_text() == f"index of {step}"
    return step


def main(place: str, steps: int, seconds: float, mebibytes: int = 1) -> int:
    """Go on to `steps`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    stop = StopSignal()
    stop.defer()
    try:
        with open_model_dir(Remote(place)) as folder:
            folder.settle_config("config")
            step = last_step(folder.path)
            print(f"begin {step}", flush=True)
            if step and all(row.step < step for row in folder.read_rows()):
                measure(folder, step)
            while step < steps:
                time.sleep(seconds)
                stop.check()
                folder.check()
                step += 1
                save(folder, step, mebibytes)
                measure(folder, step)
                print(step, flush=True)
    except (TrialError, Stopped) as problem:
        print(problem, file=sys.stderr)
        return 143 if isinstance(problem, Stopped) else 2
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *map(int, sys.argv[4:])))
