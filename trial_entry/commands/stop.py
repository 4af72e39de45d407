"""The command `stop`: end the trial that runs in a MODEL_DIR, and wait for it. A pod's preStop hook calls this."""

from __future__ import annotations

import logging
import os
import signal
import time

from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.files import LOCK_FILE
from trial_entry.contract.requests import StopRequest
from trial_entry.errors import ModelDirError
from trial_entry.model_dir import local_model_dir, try_lock

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


def stop(request: StopRequest) -> int:
    """Send SIGTERM to whoever holds the lock and wait until it is free; returns the exit code.

    Raises:
        ModelDirError: no trial has run there, or it is still running after the time-out.
    """
    file = local_model_dir(request.model_dir) / LOCK_FILE
    try:
        lock = file.open("r")
    except OSError as error:
        raise ModelDirError(f"{file}: {error.strerror}; no trial was started with this --model_dir") from None
    with lock:
        holder = try_lock(lock)
        if holder is None:
            _LOG.info("no trial is running in %s", request.model_dir)
            return EXIT_MEASURED
        os.kill(int(holder), signal.SIGTERM)
        deadline = time.monotonic() + request.timeout
        while try_lock(lock) is not None:
            if time.monotonic() > deadline:
                raise ModelDirError(f"process {holder} is still running after {request.timeout:g} seconds")
            time.sleep(_POLL_SECONDS)
    _LOG.info("process %s has ended", holder)
    return EXIT_MEASURED
