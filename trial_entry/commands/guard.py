"""Out of memory, as whatever library reports it, is one kind of end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from trial_entry.errors import ModelDirError, OutOfMemoryError, first_line
from trial_entry.model_dir import FULL

_NO_SPACE = tuple(map(os.strerror, FULL))
# What other errors of TensorFlow say where a GPU's memory has run out, often because another process holds it.
_GPU_IS_FULL = re.compile("out of memory|CUDA_ERROR_OUT_OF_MEMORY|Dst tensor is not initialized", re.IGNORECASE)
_NODE = re.compile(r"\{\{[^}]*\}\}")  # TensorFlow's name of the operation


@contextmanager
def out_of_memory_as_error() -> Iterator[None]:
    """Turn Python's and TensorFlow's reports of exhausted memory into OutOfMemoryError.

    Raises:
        OutOfMemoryError: instead of MemoryError, TensorFlow's ResourceExhaustedError, or another of its errors that
            says so of a GPU.
        ModelDirError: a disk is full, which some libraries report so too.
    """
    try:
        yield
    except MemoryError as error:
        raise _out_of_memory(error) from None
    except Exception as error:
        if any(said in str(error) for said in _NO_SPACE):
            if isinstance(error, ModelDirError):
                raise  # says all of it
            raise ModelDirError(f"the disk is full: {_first(error)}; make room, and the same command goes on") from None
        names = {kind.__name__ for kind in type(error).__mro__}  # TensorFlow may not have been imported
        if "ResourceExhaustedError" in names or ("OpError" in names and _GPU_IS_FULL.search(str(error))):
            raise _out_of_memory(error) from None
        raise


def _out_of_memory(error: BaseException) -> OutOfMemoryError:
    what = _first(error) or "an allocation failed"
    return OutOfMemoryError(f"out of memory: {what}; a smaller batch_size or image needs less")


def _first(error: BaseException) -> str:
    """What an error of TensorFlow's says, without its names of operations."""
    return first_line(_NODE.sub("", str(error))).partition(" [Op:")[0]
