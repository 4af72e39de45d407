"""A trial's MODEL_DIR while it runs: who holds it, which config runs in it, what is written there.

What lies in it is named in `trial_entry.contract.files`, and typed in `trial_entry.contract.records`.
"""

from __future__ import annotations

import difflib
import errno
import fcntl
import json
import logging
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from trial_entry.contract.files import (
    BEST_FOLDER,
    CHECKPOINT_FILE,
    CHECKPOINT_PATTERNS,
    CONFIG_FILE,
    LOCK_FILE,
    METRICS_FILE,
    TRIAL_FILE,
)
from trial_entry.contract.json_records import to_json
from trial_entry.contract.records import MetricRow, read_rows, read_trial
from trial_entry.errors import ModelDirError, StorageError
from trial_entry.storage import objects
from trial_entry.storage.cache import Cache
from trial_entry.storage.mirror import Layout, Mirror
from trial_entry.storage.urls import Remote

_LOG = logging.getLogger(__name__)
_NAMED = re.compile(r'model_checkpoint_paths?: "([^"]+)"')  # TensorFlow's CheckpointState in text format
FULL = (errno.ENOSPC, errno.EDQUOT)  # a disk, or a user's share of one
_PIECE = re.compile(r"\.(index|data-\d{5}-of-\d{5})$")


class ModelDir:
    """A locked MODEL_DIR; the lock ends with the process, however it ends.

    Attributes:
        path: of the folder.
        place: its name in messages.
        record: what trial.json holds, or will at the next `write_record`.
    """

    def __init__(self, path: Path, mirror: Mirror | None = None) -> None:
        """Create the folder where it is missing, take its lock, and read its record.

        Args:
            mirror: lets what is written go up to a bucket, from where the folder is filled first.

        Raises:
            ModelDirError: another process holds it, it cannot be written, or its record is none.
            StorageError: the bucket cannot be used, or another process writes there.
        """
        self.path = path
        self._mirror = mirror
        self.place = str(path) if mirror is None else mirror.url
        with self._writing():
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / LOCK_FILE).open("a+")
            holder = try_lock(self._lock)
            if holder is None:
                self._lock.truncate(0)
                self._lock.write(f"{os.getpid()}\n")
                self._lock.flush()
        if holder is not None:
            raise ModelDirError(f"{self.place}: in use by process {holder}; wait for it or give another folder")
        if mirror is not None:
            mirror.begin()
        try:
            self.record = read_trial(path)
        except ModelDirError:
            self.close()
            raise

    def settle_config(self, text: str, has_moved: bool = False) -> None:
        """Write `text` as the folder's pipeline.config, or find it there already.

        Args:
            has_moved: whether another text is the same config, with its data in another place; then it is replaced.

        Raises:
            ModelDirError: another config has run here; says where it differs.
        """
        file = self.path / CONFIG_FILE
        # Damaged, it is another one too.
        before = file.read_text(encoding="utf-8", errors="replace") if file.exists() else None
        if before is None or (has_moved and before != text):
            with self._writing():
                write_atomically(file, text)
            self._push()
        elif before != text:
            changed = [
                line
                for line in difflib.unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=0)
                if line[:1] in "+-" and line[:3] not in ("+++", "---")
            ]
            shown = "; ".join(" ".join(line.split()) for line in changed[:4])
            where = f"{self.place}/{CONFIG_FILE}"
            raise ModelDirError(f"{where}: another config has run here ({shown}); give another place")

    def write_record(self) -> None:
        """Replace trial.json by `record`; what was written before it goes up with it.

        Raises:
            ModelDirError: it cannot be written.
            StorageError: an upload has failed for good, or another process has taken the place over.
        """
        with self._writing():
            write_json(self.path / TRIAL_FILE, self.record.to_json())
        self._push()

    def read_rows(self) -> list[MetricRow]:
        """The rows of metrics.json, oldest first."""
        return read_rows(self.path)

    def write_rows(self, rows: Sequence[MetricRow]) -> None:
        """Replace metrics.json; as `write_record`."""
        with self._writing():
            write_json(self.path / METRICS_FILE, [to_json(row) for row in rows])
        self._push()

    def check(self) -> None:
        """Raises StorageError where an upload has failed for good, or another process has taken the place over."""
        if self._mirror is not None:
            self._mirror.check()

    def close(self) -> None:
        """Wait until all is up; a folder of this machine needs no closing.

        Raises:
            StorageError: not all is up.
        """
        if self._mirror is not None:
            self._mirror.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            again = "; make room, and the same command goes on" if error.errno in FULL else ""
            raise ModelDirError(f"{self.place}: cannot be written: {error.strerror}{again}") from None

    def _push(self) -> None:
        if self._mirror is not None:
            self._mirror.push()


@contextmanager
def open_model_dir(place: Path | Remote) -> Iterator[ModelDir]:
    """The MODEL_DIR at `place`; one in a bucket is worked on in a folder of the cache, and is all up at the end.

    Raises:
        ModelDirError, StorageError: as ModelDir.
    """
    folder = ModelDir(local_model_dir(place), None if isinstance(place, Path) else _mirror(place))
    try:
        yield folder
    except BaseException:
        try:
            folder.close()
        except StorageError as problem:
            _LOG.warning("%s", problem)  # what ended the trial says more
        raise
    folder.close()


def local_model_dir(place: Path | Remote) -> Path:
    """The folder of this machine that a trial with this MODEL_DIR works in.

    Raises:
        StorageError: the cache cannot be used.
    """
    return place if isinstance(place, Path) else Cache.from_environment().work_folder(place.url)


def local_model_dirs(root: Path | Remote) -> list[Path]:
    """The folders of this machine that trials with this --model_root have worked in.

    Raises:
        StorageError: the cache cannot be used.
    """
    if isinstance(root, Path):
        return [lock.parent for lock in sorted(root.glob(f"*/{LOCK_FILE}"))]
    return Cache.from_environment().work_folders(root)


def checkpoint_names(text: str) -> list[str]:
    """The prefixes that a `checkpoint` file names, the latest first."""
    return list(dict.fromkeys(_NAMED.findall(text)))


def latest_remote(place: Remote) -> str | None:
    """The prefix of the latest checkpoint of a MODEL_DIR in a bucket, by its `checkpoint` file; None without one.

    Raises:
        StorageError: the bucket cannot be read.
    """
    content = objects.read(f"{place / CHECKPOINT_FILE}")
    names = checkpoint_names((content or b"").decode())
    return f"{place / names[0]}" if names else None


def _mirror(place: Remote) -> Mirror:
    layout = Layout(
        claim=LOCK_FILE,
        last=(CHECKPOINT_FILE, f"{BEST_FOLDER}/{CHECKPOINT_FILE}", METRICS_FILE, TRIAL_FILE),
        is_fetched=_is_fetched,
        debris=_debris,
    )
    return Mirror(place.url, Cache.from_environment().work_folder(place.url), layout)


def _is_fetched(name: str) -> bool:
    """What a trial goes on from; events are only added to."""
    patterns = (CONFIG_FILE, TRIAL_FILE, METRICS_FILE, *CHECKPOINT_PATTERNS)
    folder, _, file = name.rpartition("/")
    return folder in ("", BEST_FOLDER) and any(fnmatchcase(file, pattern) for pattern in patterns)


def _debris(names: Collection[str], read: Callable[[str], bytes | None]) -> list[str]:
    """Checkpoints that no `checkpoint` file names, in a folder that is a trial's: it was killed while they went up."""
    found = []
    if TRIAL_FILE in names:
        for folder in ("", f"{BEST_FOLDER}/"):
            kept = {f"{folder}{each}" for each in checkpoint_names((read(folder + CHECKPOINT_FILE) or b"").decode())}
            pieces = [name for name in names if name.rpartition("/")[0] == folder.rstrip("/") and _PIECE.search(name)]
            found += [name for name in pieces if _PIECE.sub("", name) not in kept]
    return found


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


def write_json(file: Path | Remote, value: object) -> None:
    """`write_atomically`, for JSON; an object is replaced in one step too.

    Raises:
        StorageError: a bucket cannot be written.
    """
    text = json.dumps(value, indent=1) + "\n"
    if isinstance(file, Path):
        write_atomically(file, text)
        return
    before = objects.find(file.url)
    objects.write(file.url, text.encode(), objects.NEW if before is None else before.generation)
