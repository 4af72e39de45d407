"""GPUs on a machine that has none: the library that TensorFlow does not find, and what its errors become."""

from __future__ import annotations

import shutil
from pathlib import Path

import google_crc32c
import pytest

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.detection.gpus import find_gpus, load_cusolver
from trial_entry.detection.runtime import determinism_error
from trial_entry.errors import ConfigError, OutOfMemoryError


def test_a_library_in_pip_s_folder_is_loaded_and_a_broken_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "cusolver" / "lib"
    folder.mkdir(parents=True)
    (folder / "libcusolver.so.11").write_bytes(b"no library")
    assert load_cusolver([str(tmp_path)]) is None
    (extension,) = Path(google_crc32c.__file__).parent.glob("_crc32c*.so")
    shutil.copy(extension, folder / "libcusolver.so.12")  # any library
    assert load_cusolver([str(tmp_path)]) == folder / "libcusolver.so.12"
    assert str(folder / "libcusolver.so.12") in Path("/proc/self/maps").read_text()


def test_without_pip_s_folder_nothing_is_loaded(tmp_path: Path) -> None:
    assert load_cusolver([str(tmp_path)]) is None


def test_a_gpu_that_tensorflow_does_not_see_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    device = tmp_path / "nvidiactl"
    assert not find_gpus(device)
    assert not caplog.messages
    device.touch()
    assert not find_gpus(device)
    assert "TensorFlow sees no GPU, although this machine has one" in caplog.text
    caplog.clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # hidden on purpose
    assert not find_gpus(device)
    assert not caplog.messages


@pytest.mark.parametrize(
    "said",
    [
        "CUDA runtime implicit initialization on GPU:0 failed. Status: out of memory",
        "Dst tensor is not initialized.\n\t [[{{node steps/copy}}]]",
    ],
)
def test_a_full_gpu_is_out_of_memory(said: str) -> None:
    import tensorflow as tf

    with pytest.raises(OutOfMemoryError, match=said.splitlines()[0]), out_of_memory_as_error():
        raise tf.errors.InternalError(None, None, said)
    with pytest.raises(tf.errors.InternalError), out_of_memory_as_error():
        raise tf.errors.InternalError(None, None, "something else")


def test_an_operation_that_cannot_be_deterministic_is_said_in_one_line() -> None:
    import tensorflow as tf

    said = "{{function_node f}} Deterministic GPU implementation of CropAndResizeBackpropImage not available.\n\t more"
    error = determinism_error(tf.errors.UnimplementedError(None, None, said))
    assert isinstance(error, ConfigError)
    assert "--deterministic" in str(error)
    assert "CropAndResizeBackpropImage" in str(error)
    assert "\n" not in str(error)
    assert "{{" not in str(error)
    other = tf.errors.UnimplementedError(None, None, "something else")
    assert determinism_error(other) is other
