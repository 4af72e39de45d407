"""In TensorFlow's room: the GPUs, with the one CUDA library that TensorFlow does not find by itself."""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trial_entry.logs import GPU_DEVICE, without_chatter

if TYPE_CHECKING:
    import tensorflow as tf

_LOG = logging.getLogger(__name__)
_CUSOLVER = "cusolver/lib/libcusolver.so.*"


def find_gpus(device: Path = GPU_DEVICE) -> Sequence[tf.config.PhysicalDevice]:
    """TensorFlow's GPUs, of which none is used yet; a warning where the machine has one and TensorFlow sees none.

    Args:
        device: the driver's file, which is there where there is a GPU.
    """
    import tensorflow as tf

    present = device.exists() and os.environ.get("CUDA_VISIBLE_DEVICES", "all") not in ("", "-1")
    if present:
        load_cusolver()
    with without_chatter():
        gpus: Sequence[tf.config.PhysicalDevice] = tf.config.list_physical_devices("GPU")
    if present and not gpus:
        _LOG.warning(
            "TensorFlow sees no GPU, although this machine has one: computing on the processor; pip install "
            "'tensorflow[and-cuda]' brings the CUDA libraries"
        )
    return gpus


def load_cusolver(folders: Sequence[str] | None = None) -> Path | None:
    """Load pip's cuSOLVER, so that TensorFlow has it; returns the file, or None where there is none that loads.

    TensorFlow 2.21 looks for pip's CUDA libraries in folders that its own libraries name, and cuSOLVER's is not among
    them (`readelf -d libtensorflow_framework.so.2`). Where one is missing it uses no GPU. A library that is loaded
    already is found by its name alone.

    Args:
        folders: to look in, instead of those of the package `nvidia`.
    """
    if folders is None:
        spec = find_spec("nvidia")
        folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    for file in (file for folder in folders for file in sorted(Path(folder).glob(_CUSOLVER))):
        try:
            ctypes.CDLL(str(file))
        except OSError:  # TensorFlow then says what it misses
            continue
        return file
    return None
