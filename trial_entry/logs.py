"""Log lines on standard error that no collector mistakes for a metric.

With early stopping, Katib's collector ends the trial at any line that contains a metric's name and an `=`
without a number after it; so our lines have no `=` at all.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

_CHATTER = re.compile(r"I\d{4} |WARNING: All log messages before|To enable the following instructions")
_CONVERTER = re.compile(
    r"W\d{4} .*(tf_tfl_flatbuffer_helpers|flatbuffer_export)|fully_quantize: |INFO: Created TensorFlow Lite"
)
_NO_GPU = re.compile(r"E\d{4} .*failed call to cuInit")
GPU_DEVICE = Path("/dev/nvidiactl")  # there where a process may use NVIDIA's driver


class _NoEquals(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("=", ":")


def set_up_logging() -> None:
    """Whole lines to stderr, `=` written as `:`; TensorFlow's C++ at warning level. Before TensorFlow's import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_NoEquals("%(asctime)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("trial_entry").setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.filterwarnings("ignore", message=".*set_learning_phase.*")  # the API has no other way
    sys.excepthook = _log_traceback


def quiet_tensorflow() -> None:
    """After TensorFlow's import: its and absl's own handlers out, so that every line takes our format."""
    for name in ("absl", "tensorflow"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.ERROR)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Keep back what TensorFlow's C++ prints at information level while it starts, which no setting silences.

    So is what TensorFlow Lite's converter says of itself, and the complaint about a missing GPU, where the machine has
    none.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            captured.seek(0)
            for line in captured:
                if not (
                    _CHATTER.match(line) or _CONVERTER.match(line) or (_NO_GPU.match(line) and not GPU_DEVICE.exists())
                ):
                    print(line.rstrip("\n").replace("=", ":"), file=sys.stderr)


def _log_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
        print(line.replace("=", ":"), file=sys.stderr)
