"""Storage's claim: one process at a time writes below a gs:// prefix, and whoever comes second learns who is there.

The claim is an object that says who holds it. Its holder writes it again every few seconds and deletes it at its end;
one that was not written again for a while was left by a process that was killed, and is taken over. Nothing rests on
clocks: a claim is alive if it changes while somebody watches, and every write names the generation that it replaces.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from uuid import uuid4

from trial_entry.errors import ConflictError
from trial_entry.storage.objects import NEW, RemoteObject, delete, find, read, write

LEASE_SECONDS = 30.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_POLLS = 30  # looks in a lease


@dataclass(frozen=True)
class Claimant:
    """Who holds a claim.

    Attributes:
        host: its machine's name.
        boot: which start of which machine.
        folder: on this machine, which it holds a lock of.
        process: its id.
        started: RFC 3339.
        token: of this very claim.
    """

    host: str = "an unknown machine"
    boot: str = ""
    folder: str = ""
    process: int = 0
    started: str = "an unknown time"
    token: str = ""

    @classmethod
    def of_this_process(cls, folder: Path) -> Claimant:
        """This process, which holds the lock of `folder`."""
        boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(socket.gethostname(), boot, str(folder), os.getpid(), started, uuid4().hex)

    @classmethod
    def read(cls, content: bytes | None) -> Claimant:
        """Whoever wrote `content`; nobody known where it is something else."""
        try:
            found = json.loads(content or b"")
            return cls(**{each.name: found[each.name] for each in fields(cls)})
        except (ValueError, KeyError, TypeError):
            return cls()

    def had(self, other: Claimant) -> bool:
        """Whether both hold the lock of one folder of one machine, so that the other has ended."""
        return bool(self.boot) and (self.host, self.boot, self.folder) == (other.host, other.boot, other.folder)

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, started at {self.started}"


class Claim:
    """This process's claim at one address."""

    def __init__(self, url: str, folder: Path, lease: float = LEASE_SECONDS) -> None:
        self._url = url
        self._lease = lease
        self._claimant = Claimant.of_this_process(folder)
        self._held: RemoteObject | None = None
        self._renewals = 0
        self._guard = Lock()

    def take(self) -> bool:
        """Take it; waits for as long as it takes to see whether another is alive. Whether one was left behind.

        Raises:
            ConflictError: another process holds it; says which.
            StorageError: the bucket cannot be used.
        """
        left = False
        while self._held is None:
            found = find(self._url)
            if found is not None:
                holder = Claimant.read(read(self._url))
                if not self._claimant.had(holder):
                    self._watch(found, holder)
                left = True
            try:
                self._held = write(self._url, self._content(), NEW if found is None else found.generation)
            except ConflictError:
                continue  # somebody was faster, or gave it up
        return left

    def renew(self) -> None:
        """Say that this process is alive.

        Raises:
            ConflictError: another process has taken it over; says which.
            StorageError: as `take`.
        """
        with self._guard:
            if self._held is None:
                return
            self._renewals += 1
            try:
                self._held = write(self._url, self._content(), self._held.generation)
            except ConflictError:
                raise self.lost() from None

    def lost(self) -> ConflictError:
        """That somebody else writes there; names who, if it is known."""
        other = Claimant.read(read(self._url))
        if other.token in ("", self._claimant.token):
            return ConflictError("somebody else has written there meanwhile; this process leaves it as it is and ends")
        return ConflictError(f"taken over by {other}; this process leaves it to that one and ends")

    def release(self) -> None:
        """Give it up, so that the next one need not wait.

        Raises:
            StorageError: as `take`.
        """
        with self._guard:
            if self._held is not None:
                delete(self._held)
                self._held = None

    def _watch(self, found: RemoteObject, holder: Claimant) -> None:
        """Return when the lease of `found` is over, or it is gone; raises ConflictError where it is renewed."""
        age = (datetime.now(UTC) - found.updated).total_seconds() if found.updated is not None else 0.0
        deadline = time.monotonic() + min(self._lease, max(0.0, self._lease - age))
        while time.monotonic() < deadline:
            time.sleep(self._lease / _POLLS)
            now = find(self._url)
            if now is None:
                return
            if now.generation != found.generation:
                raise ConflictError(f"in use by {holder}; wait for it or give another place")

    def _content(self) -> bytes:
        return json.dumps({**asdict(self._claimant), "renewals": self._renewals}, indent=1).encode()
