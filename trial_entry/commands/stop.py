"""`stop`: end the trial that runs in a MODEL_DIR, and wait for it. A pod's preStop hook calls this."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import time

from trial_entry.errors import EXIT_MEASURED, ModelDirError
from trial_entry.model_dir import LOCK_FILE, try_lock

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


def stop(arguments: argparse.Namespace) -> int:
    """Send SIGTERM to whoever holds the lock and wait until it is free.

    Raises:
        ModelDirError: no trial has run there, or it is still running after the time-out.
    """
    file = arguments.model_dir / LOCK_FILE
    try:
        lock = file.open("r")
    except OSError as error:
        raise ModelDirError(f"{file}: {error.strerror}; no trial was started with this --model_dir") from None
    with lock:
        holder = try_lock(lock)
        if holder is None:
            _LOG.info("no trial is running in %s", arguments.model_dir)
            return EXIT_MEASURED
        os.kill(int(holder), signal.SIGTERM)
        deadline = time.monotonic() + arguments.timeout
        while try_lock(lock) is not None:
            if time.monotonic() > deadline:
                raise ModelDirError(f"process {holder} is still running after {arguments.timeout:g} seconds")
            time.sleep(_POLL_SECONDS)
    _LOG.info("process %s has ended", holder)
    return EXIT_MEASURED
