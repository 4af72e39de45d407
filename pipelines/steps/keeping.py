"""Where a search within a step keeps its journal and ended trials, so that a restarted step goes on with them.

a folder of this machine   is the folder of the run itself, and what is left of it is linked or copied from there
gs://, s3://               each ended trial is put there, then the journal; a new pod brings both back

Its name has the Experiment's and the data's digest: trials of other data are no trials of this search. In a bucket,
which has no lock, it has the pipeline run's id too, so that two runs at a time never write to one journal.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from boxtune.delivery.asking import request_errors
from boxtune.errors import InputError
from boxtune.local.journal import JOURNAL_FILE
from boxtune.local.options import Listener
from boxtune.local.state import TRIALS_FOLDER
from boxtune.runs.run import Run
from pipelines.steps.event_names import shorten_event_names
from pipelines.steps.stores import opened
from trial_entry.storage import objects
from trial_entry.storage.folders import download_folder, upload_folder
from trial_entry.storage.snapshot import relative_files
from trial_entry.storage.urls import is_remote

_JOURNAL_PLACE = "journal"  # beside TRIALS_FOLDER: what is put there last tells of all that was put before
_SEARCHES = "boxtune-searches"
_SHORT = 12  # of a SHA-256's 64 digits


class Keep:
    """Where a search is kept while it goes on; as it stands nowhere else than in the folder of the artifact."""

    def folder(self, out: Path) -> Path:
        """The folder of the run, where `out` is that of the artifact."""
        return out

    def bring(self, out: Path) -> None:
        """What an earlier step of the same run left."""

    def put(self, run: Run, out: Path) -> None:
        """A trial has ended."""

    def hand_over(self, out: Path) -> None:
        """The search is over: `out` holds the run."""


class KeptInFolder(Keep):
    """A folder of this machine, or of a mounted claim, in which the search runs.

    Args:
        linked: whether the artifact may be a link to it: where nobody uploads it.
    """

    def __init__(self, place: Path, linked: bool) -> None:
        self._place, self._linked = place, linked

    def folder(self, out: Path) -> Path:
        """The place."""
        return self._place

    def hand_over(self, out: Path) -> None:
        """As a link, or a copy."""
        if self._linked:
            out.unlink(missing_ok=True)
            out.symlink_to(self._place.absolute(), target_is_directory=True)
        else:
            shutil.copytree(self._place, out, dirs_exist_ok=True)


class KeptInBucket(Keep):
    """A prefix of a bucket."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sent: dict[str, Mapping[str, int]] = {}

    def bring(self, out: Path) -> None:
        """Trials and journal, where there is a journal."""
        with request_errors():
            if not objects.list_below(f"{opened(self._url)}/{_JOURNAL_PLACE}"):
                return
            print(f"goes on with what {self._url} holds", flush=True)
            with suppress(FileNotFoundError):
                shutil.rmtree(out)
            out.mkdir(parents=True)
            download_folder(f"{self._url}/{TRIALS_FOLDER}", out / TRIALS_FOLDER)
            with tempfile.TemporaryDirectory(prefix="boxtune-journal-") as name:
                download_folder(f"{self._url}/{_JOURNAL_PLACE}", Path(name) / _JOURNAL_PLACE)
                shutil.copyfile(Path(name) / _JOURNAL_PLACE / JOURNAL_FILE, out / JOURNAL_FILE)

    def put(self, run: Run, out: Path) -> None:
        """Ended trials whose files changed (checkpoints of those that fell behind are gone), then the journal."""
        with request_errors():
            for trial in run.everything:
                if not trial.condition.ended or trial.folder is None or not trial.folder.is_dir():
                    continue
                shorten_event_names(trial.folder)
                files = _sizes(trial.folder)
                if self._sent.get(trial.name) != files:
                    upload_folder(trial.folder, f"{self._url}/{TRIALS_FOLDER}/{trial.name}")
                    self._sent[trial.name] = files
            with tempfile.TemporaryDirectory(prefix="boxtune-journal-") as name:
                shutil.copyfile(out / JOURNAL_FILE, Path(name) / JOURNAL_FILE)
                upload_folder(Path(name), f"{self._url}/{_JOURNAL_PLACE}")


class KeepingListener:
    """Tells another listener what happens, and keeps the run at its beginning and whenever a trial has ended.

    A place that cannot be written ends the search at its beginning; later it is said, and tried again after the next
    trial: what was trained is worth more than its second copy.
    """

    def __init__(self, inner: Listener, keep: Keep, out: Path) -> None:
        self._inner, self._keep, self._out = inner, keep, out
        self._kept: int | None = None  # how much had ended, of what was kept last

    def notice(self, text: str) -> None:
        """See Listener."""
        self._inner.notice(text)

    def changed(self, run: Run) -> None:
        """See Listener."""
        self._inner.changed(run)
        ended = sum(trial.condition.ended for trial in run.everything) + bool(run.ended)
        if ended == self._kept:
            return
        try:
            self._keep.put(run, self._out)
        except InputError as problem:
            if self._kept is None:
                raise
            self._inner.notice(f"the search goes on, but what ended is not kept for a restart: {problem}")
            return
        self._kept = ended

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        """See Listener."""
        self._inner.tick(run, running)


def keep_from(place: str, uri: str, run_id: str, experiment: str, data: str) -> Keep:
    """Where a search is kept.

    Args:
        place: a folder or URL; empty for below the run's own pipeline root.
        uri: of the artifact; the root is what stands in it before the run's id.
        run_id: of the pipeline's run; a pod that takes another's place has the same.
        experiment: its name.
        data: what the first step says of the data, or what the import says of its records.
    """
    name = f"{experiment}-{hashlib.sha256(data.encode()).hexdigest()[:_SHORT]}"
    if not place:
        root, found, _ = uri.partition(run_id) if run_id else ("", "", "")
        if not found or not is_remote(uri):
            return Keep()
        return KeptInBucket(f"{root}{run_id}/{_SEARCHES}/{name}")
    if is_remote(place):
        own = f"-{run_id}" if "://" in uri else ""  # on this machine the same command again has another id
        return KeptInBucket(f"{place.rstrip('/')}/{name}{own}")
    return KeptInFolder(Path(place) / name, linked="://" not in uri)


def _sizes(folder: Path) -> dict[str, int]:
    """Size of each file, by its path."""
    return {name: (folder / name).stat().st_size for name in relative_files(folder)}
