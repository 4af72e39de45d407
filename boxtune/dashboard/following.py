"""Dashboard's runs: the one in a folder or on a cluster, looked at again and again and read only when it may differ."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from boxtune.errors import RunFolderError
from boxtune.local.journal import JOURNAL_FILE
from boxtune.local.reading import LOCK_FILE, is_locked, open_run
from boxtune.runs.run import Run

LOOK_SECONDS = 5.0  # between two questions to a cluster

Source = Callable[[], Run]
"""The run as it is now: the same object again where nothing has happened. Raises BoxtuneError as what opens it does."""


class FolderSource:
    """The run in a folder: read again when its journal has changed, or a runner has come or gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int, int, bool] | None = None
        self._run: Run | None = None

    def __call__(self) -> Run:
        """The run as it is now.

        Raises:
            RunFolderError: as `open_run`, or another run has taken its place; each time, as long as it is so.
        """
        now = self._looks()
        if self._run is None or now is None or now != self._seen:
            run = open_run(self._folder)
            if self._run is not None and run.started != self._run.started:
                raise RunFolderError(f"{self._folder}: another run lies here now; open a dashboard of that one")
            self._run = run
            self._seen = now  # from before it was read: what was written meanwhile is read the next time
        return self._run

    def _looks(self) -> tuple[int, int, int, bool] | None:
        try:
            file = (self._folder / JOURNAL_FILE).stat()
        except OSError:
            return None
        return file.st_ino, file.st_size, file.st_mtime_ns, is_locked(self._folder / LOCK_FILE)


class ClusterSource:
    """The run that `fetch` brings, asked every few seconds at most."""

    def __init__(self, fetch: Callable[[], Run], seconds: float = LOOK_SECONDS) -> None:
        """
        Args:
            fetch: asks the cluster.
            seconds: for which an answer is good.
        """
        self._fetch, self._seconds = fetch, seconds
        self._asked: float | None = None
        self._run: Run | None = None

    def __call__(self) -> Run:
        """The run as it was a few seconds ago at most.

        Raises:
            ClusterError: as `fetch`; each time, as long as it is so.
        """
        now = time.monotonic()
        if self._run is None or self._asked is None or now - self._asked >= self._seconds:
            found = self._fetch()
            self._run = self._run if found == self._run else found
            self._asked = now
        return self._run
