"""Storage's mirror: a folder of this machine whose files go up to a gs:// prefix as they are made, and come back.

The bucket is the truth: whoever begins takes what is there, whatever its own disk holds. What others refer to goes up
before what refers to it, and is deleted after, so that a reader, and whoever goes on after a kill at any moment, finds
nothing half there. Each write names the generation that it replaces, so that two writers never mix.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread

from trial_entry.errors import ConflictError, StorageError
from trial_entry.storage import objects
from trial_entry.storage.claim import LEASE_SECONDS, Claim
from trial_entry.storage.filling import empty_folder, fill_folder
from trial_entry.storage.objects import NEW, RemoteObject
from trial_entry.storage.snapshot import Identity, Kept, Snapshot
from trial_entry.storage.urls import prefix_parts

_LOG = logging.getLogger(__name__)
_STAGING = ".going-up"
_RENEWALS = 3  # in a lease
_AGAIN_SECONDS = 5.0
_LAST_TRIES = 3  # of an upload, when nothing else is left to do
_SETTLING = 5  # tries, while one that was taken over still writes
Read = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Layout:
    """What is what in a mirrored folder, by relative names.

    Attributes:
        claim: the object that says who writes; the folder's own file of this name stays here.
        last: what refers to other files, in the order in which it goes up, after all others.
        is_fetched: whether the process needs a file that lies in the bucket.
        debris: of all names there, those that an interrupted upload left and nothing refers to.
    """

    claim: str
    last: tuple[str, ...]
    is_fetched: Callable[[str], bool]
    debris: Callable[[Collection[str], Read], Collection[str]]

    def is_skipped(self, name: str) -> bool:
        """Whether a file is this machine's business: locks, files that are being written."""
        return name == self.claim or name.startswith(f"{_STAGING}/") or name.endswith(".tmp") or "_temp/" in name

    def rank(self, name: str) -> tuple[int, str]:
        """Sorts names in the order in which they go up."""
        return (self.last.index(name) + 1 if name in self.last else 0), name


class Mirror:
    """One folder and its prefix.

    Attributes:
        url: gs://BUCKET/PREFIX.
    """

    def __init__(self, url: str, folder: Path, layout: Layout, lease: float = LEASE_SECONDS) -> None:
        self.url = url.rstrip("/")
        self._folder = folder
        self._layout = layout
        self._lease = lease
        self._claim = Claim(f"{self.url}/{layout.claim}", folder, lease)
        self._known: dict[str, RemoteObject] = {}  # what lies in the bucket
        self._sent: dict[str, Identity] = {}  # of what lies there and here
        self._wake = Condition()
        self._pending: Snapshot | None = None
        self._closing = False
        self._ended = Event()
        self._failure: StorageError | None = None
        self._sender = Thread(target=self._send_all, name="upload", daemon=True)
        self._renewer = Thread(target=self._renew_all, name="claim", daemon=True)
        self._snapshots = 0

    def begin(self) -> None:
        """Claim the prefix and make the folder what the bucket holds; whoever calls has the folder for itself.

        Raises:
            ConflictError: another process writes there.
            StorageError: the bucket cannot be used, or there is no room here.
        """
        with self._named():
            left = self._claim.take()
            try:
                self._known = self._settled(left)
                wanted = {name: each for name, each in self._known.items() if self._layout.is_fetched(name)}
                self._sent = fill_folder(self._folder, wanted, {self._layout.claim})
            except BaseException:
                self._claim.release()
                raise
        self._sender.start()
        self._renewer.start()

    def push(self) -> None:
        """Let the folder go up as it is now; returns at once. What was not sent yet of an earlier state is left out.

        Raises:
            StorageError: an earlier upload has failed for good.
        """
        self.check()
        self._snapshots += 1
        try:
            links = self._folder / _STAGING / str(self._snapshots)
            snapshot = Snapshot.take(self._folder, links, self._layout.is_skipped)
        except OSError as problem:
            raise StorageError(f"{self._folder}: {problem.strerror}") from None
        with self._wake:
            before, self._pending = self._pending, snapshot
            self._wake.notify()
        if before is not None:
            before.discard()

    def check(self) -> None:
        """Raises StorageError where an upload has failed for good, or another process has taken the prefix over."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Wait until all is up, give up the claim, and empty the folder.

        Raises:
            StorageError: not all is up.
        """
        try:
            if self._failure is None:
                self.push()
        finally:
            with self._wake:
                self._closing = True
                self._wake.notify()
            self._sender.join()
            self._ended.set()
            self._renewer.join()
        self.check()
        with self._named():
            self._claim.release()
        empty_folder(self._folder, {self._layout.claim})

    def _settled(self, left: bool) -> dict[str, RemoteObject]:
        """What lies in the bucket once nobody else can change it, and debris is gone."""
        _, prefix = prefix_parts(self.url)
        for _ in range(_SETTLING):
            found = {each.name.removeprefix(prefix): each for each in objects.list_below(self.url)}
            found.pop(self._layout.claim, None)
            try:
                if left:
                    self._fence(found)
                break
            except ConflictError:
                continue
        else:
            raise self._claim.lost()
        for name in self._layout.debris(found, lambda name: objects.read(f"{self.url}/{name}")):
            objects.delete(found.pop(name))
        return found

    def _fence(self, found: dict[str, RemoteObject]) -> None:
        """Give what refers to others new generations: one that was taken over and still lives can replace none."""
        for name in self._layout.last:
            if name in found:
                content = objects.read(found[name].url)
                found[name] = objects.write(found[name].url, content or b"", found[name].generation)

    def _renew_all(self) -> None:
        """The renewing thread."""
        while not self._ended.wait(self._lease / _RENEWALS):
            try:
                with self._named():
                    self._claim.renew()
            except StorageError as problem:
                if not problem.passing:
                    self._fail(problem)
                    return
                _LOG.warning("%s; trying again", problem)

    def _send_all(self) -> None:
        """The sending thread."""
        tries = 0
        while self._failure is None:
            with self._wake:
                self._wake.wait_for(lambda: self._pending is not None or self._closing)
                snapshot, self._pending = self._pending, None
            if snapshot is None:
                return  # all is up
            try:
                with self._named():
                    self._send(snapshot)
                tries = 0
            except StorageError as problem:
                tries += 1
                if not problem.passing or (self._closing and tries >= _LAST_TRIES):
                    self._fail(problem)
                    return
                _LOG.warning("%s; not all is up yet, trying again", problem)
                if self._again(snapshot):
                    continue
            except OSError as problem:
                self._fail(StorageError(f"{self._folder}: {problem.strerror}"))
                return
            snapshot.discard()

    def _again(self, snapshot: Snapshot) -> bool:
        """After a pause, whether `snapshot` is still the one to send."""
        time.sleep(_AGAIN_SECONDS)
        with self._wake:
            if self._pending is None:
                self._pending = snapshot
                return True
        return False

    def _send(self, snapshot: Snapshot) -> None:
        for name in sorted(snapshot.files, key=self._layout.rank):
            kept = snapshot.files[name]
            if self._sent.get(name) != kept.identity:
                _LOG.debug("%s/%s goes up", self.url, name)
                self._known[name] = self._put(name, kept)
                self._sent[name] = kept.identity
        for name in [each for each in self._sent if each not in snapshot.files]:
            objects.delete(self._known.pop(name))
            del self._sent[name]

    def _put(self, name: str, kept: Kept) -> RemoteObject:
        url, before = f"{self.url}/{name}", self._known.get(name)
        replacing = NEW if before is None else before.generation
        twin = next((other for other, identity in self._sent.items() if identity == kept.identity), None)
        try:
            if twin is not None:  # a link to what is there under another name
                return objects.copy(self._known[twin], url, replacing)
            return objects.upload(url, kept.file, replacing, kept.size)
        except ConflictError:
            self._claim.renew()  # raises where another process has it
            if name in self._layout.last:
                raise self._claim.lost() from None
        now = objects.find(url)  # left by one whose claim was taken over while it sent this
        return objects.upload(url, kept.file, NEW if now is None else now.generation, kept.size)

    def _fail(self, problem: StorageError) -> None:
        if self._failure is None:
            self._failure = problem

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Conflicts within name the prefix."""
        try:
            yield
        except ConflictError as problem:
            text = str(problem)
            raise ConflictError(text if self.url in text else f"{self.url}: {text}") from None
