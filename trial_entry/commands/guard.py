"""Out of memory, as whatever library reports it, is one kind of end."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from trial_entry.errors import ModelDirError, OutOfMemoryError

_NO_SPACE = os.strerror(errno.ENOSPC)
_NODE = re.compile(r"\{\{[^}]*\}\}")  # TensorFlow's name of the operation


@contextmanager
def out_of_memory_as_error() -> Iterator[None]:
    """Turn Python's and TensorFlow's reports of exhausted memory into OutOfMemoryError.

    Raises:
        OutOfMemoryError: instead of MemoryError or TensorFlow's ResourceExhaustedError.
        ModelDirError: a disk is full, which some libraries report so too.
    """
    try:
        yield
    except MemoryError as error:
        raise _out_of_memory(error) from None
    except Exception as error:
        if _NO_SPACE in str(error):
            said = _NODE.sub("", str(error)).strip().splitlines()[0]
            raise ModelDirError(f"the disk is full: {said}") from None
        if type(error).__name__ == "ResourceExhaustedError":  # by name: TensorFlow may not have been imported
            raise _out_of_memory(error) from None
        raise


def _out_of_memory(error: BaseException) -> OutOfMemoryError:
    said = _NODE.sub("", str(error)).strip().splitlines()
    what = said[0].partition(" [Op:")[0] if said else "an allocation failed"
    return OutOfMemoryError(f"out of memory: {what}; a smaller batch_size or image needs less")
