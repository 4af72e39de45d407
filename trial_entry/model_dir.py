"""MODEL_DIR: who holds it, which config runs in it, what was measured.

pipeline.config   the one that runs
trial.json        assignments, versions, seeds, digests, times, reason
metrics.json      one row an evaluation
trial.lock        held (flock) by the running trial; its process id
checkpoint, ckpt-STEP.*, best/   checkpoints that the stock tools read
train/, eval/     TensorBoard events
"""

from __future__ import annotations

import difflib
import errno
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from trial_entry.errors import ModelDirError

CONFIG_FILE = "pipeline.config"
TRIAL_FILE = "trial.json"
METRICS_FILE = "metrics.json"
LOCK_FILE = "trial.lock"
BEST_FOLDER = "best"


@dataclass(frozen=True)
class MetricRow:
    """One evaluation.

    Attributes:
        step: training steps of the checkpoint that was evaluated.
        timestamp: of its first metric line, RFC 3339.
        metrics: values by name, in the order of their lines.
    """

    step: int
    timestamp: str
    metrics: dict[str, float]


class ModelDir:
    """A locked MODEL_DIR; the lock ends with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Create the folder where it is missing, and take its lock.

        Raises:
            ModelDirError: another process holds it, or it cannot be written.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / LOCK_FILE).open("a+")
        except OSError as error:
            raise ModelDirError(f"--model_dir {path}: cannot be written: {error.strerror}") from None
        holder = try_lock(self._lock)
        if holder is not None:
            raise ModelDirError(f"--model_dir {path}: in use by process {holder}; wait for it or give another folder")
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def settle_config(self, text: str) -> None:
        """Write `text` as the folder's pipeline.config, or find it there already.

        Raises:
            ModelDirError: another config has run here; says where it differs.
        """
        file = self.path / CONFIG_FILE
        if not file.exists():
            write_atomically(file, text)
            return
        before = file.read_text(encoding="utf-8")
        if before != text:
            changed = [
                line
                for line in difflib.unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=0)
                if line[:1] in "+-" and line[:3] not in ("+++", "---")
            ]
            shown = "; ".join(" ".join(line.split()) for line in changed[:4])
            raise ModelDirError(f"{file}: another config has run here ({shown}); give another --model_dir")

    def read_trial(self) -> dict[str, Any]:
        """trial.json, or an empty dict where there is none."""
        return read_json(self.path / TRIAL_FILE) or {}

    def write_trial(self, trial: dict[str, Any]) -> None:
        """Replace trial.json."""
        write_atomically(self.path / TRIAL_FILE, json.dumps(trial, indent=1) + "\n")

    def read_rows(self) -> list[MetricRow]:
        """The rows of metrics.json, oldest first."""
        return [MetricRow(**row) for row in read_json(self.path / METRICS_FILE) or []]

    def write_rows(self, rows: list[MetricRow]) -> None:
        """Replace metrics.json."""
        write_atomically(self.path / METRICS_FILE, json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def try_lock(file: IO[str]) -> str | None:
    """Take the lock of an open lock file; None if taken, else the process id that holds it ("unknown" if unsaid)."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        file.seek(0)
        return file.read().strip() or "unknown"
    return None


def write_atomically(file: Path, text: str) -> None:
    """Replace `file` in one step: whoever reads sees the old text or the new one, also after a crash."""
    temporary = file.with_name(file.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)


def read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise ModelDirError(f"{file}: not readable as JSON ({error}); give another --model_dir") from None
