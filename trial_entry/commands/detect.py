"""The command `detect`: what an exported model finds in image files."""

from __future__ import annotations

import logging
import time

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.contract.detecting import read_wanted, write_lines
from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.export_requests import DetectRequest
from trial_entry.detection.detecting import detect_images
from trial_entry.detection.exported import SavedModel
from trial_entry.errors import ConfigError

_LOG = logging.getLogger(__name__)


def detect(request: DetectRequest) -> int:
    """Look at every image of the request; returns the exit code.

    Raises:
        TrialError: the request is wrong, or memory ran out.
    """
    wanted = read_wanted(request.images)
    temporary = request.output.with_name(request.output.name + ".tmp")
    with out_of_memory_as_error():
        model = SavedModel(request.saved_model)
        started = time.perf_counter()
        try:
            write_lines(temporary, detect_images(model, wanted, request.batch_size, request.score_threshold))
            temporary.replace(request.output)
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"{request.output}: cannot be written: {why}; name another file with --output") from None
    seconds = time.perf_counter() - started
    _LOG.info("looked at %d images or tiles in %.1f s, %.3g a second", len(wanted), seconds, len(wanted) / seconds)
    return EXIT_MEASURED
