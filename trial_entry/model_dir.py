"""A trial's MODEL_DIR while it runs: who holds it, which config runs in it, what is written there.

What lies in it is named in `trial_entry.contract.files`, and typed in `trial_entry.contract.records`.
"""

from __future__ import annotations

import difflib
import errno
import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from trial_entry.contract.files import CONFIG_FILE, LOCK_FILE, METRICS_FILE, TRIAL_FILE
from trial_entry.contract.json_records import to_json
from trial_entry.contract.records import MetricRow, read_rows, read_trial
from trial_entry.errors import ModelDirError


class ModelDir:
    """A locked MODEL_DIR; the lock ends with the process, however it ends.

    Attributes:
        path: of the folder.
        record: what trial.json holds, or will at the next `write_record`.
    """

    def __init__(self, path: Path) -> None:
        """Create the folder where it is missing, take its lock, and read its record.

        Raises:
            ModelDirError: another process holds it, it cannot be written, or its record is none.
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
        self.record = read_trial(path)

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

    def write_record(self) -> None:
        """Replace trial.json by `record`."""
        write_json(self.path / TRIAL_FILE, self.record.to_json())

    def read_rows(self) -> list[MetricRow]:
        """The rows of metrics.json, oldest first."""
        return read_rows(self.path)

    def write_rows(self, rows: Sequence[MetricRow]) -> None:
        """Replace metrics.json."""
        write_json(self.path / METRICS_FILE, [to_json(row) for row in rows])


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


def write_json(file: Path, value: object) -> None:
    """`write_atomically`, for JSON."""
    write_atomically(file, json.dumps(value, indent=1) + "\n")
