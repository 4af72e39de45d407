"""Cores, memory and GPUs, shared out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from boxtune.execution.resources import Shares, free_memory, gpus


def test_gpus_and_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    shares = Shares(parallel=3, gpus_each=2, available=["0", "1", "2", "3"])
    assert shares.parallel == 2
    assert "2 instead of 3 trials at a time" in shares.warnings[0]
    first, second = shares.take("a"), shares.take("b")
    assert (first["CUDA_VISIBLE_DEVICES"], second["CUDA_VISIBLE_DEVICES"]) == ("0,1", "2,3")
    assert first["OMP_NUM_THREADS"] == "4"
    shares.give_back("a")
    assert shares.take("c")["CUDA_VISIBLE_DEVICES"] == "0,1"


@pytest.mark.parametrize(
    ("gpus_each", "available", "parallel"),
    [(0, [], 8), (0, ["0"], 8), (1, ["0", "1", "2"], 3), (2, ["0"], 1), (1, [], 8)],
)
def test_auto_is_one_a_gpu_or_else_one_a_core(
    monkeypatch: pytest.MonkeyPatch, gpus_each: int, available: list[str], parallel: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    shares = Shares("auto", gpus_each, available)
    assert shares.parallel == parallel
    assert not any("at a time" in text for text in shares.warnings)


def test_auto_ends_where_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr("boxtune.execution.resources.free_memory", lambda: 8 * 2**30)
    shares = Shares("auto", 0, [])
    assert [shares.room(running, 0) for running in (0, 4, 5)] == [True, True, False]  # 1.5 GiB until one has run
    assert [shares.room(running, 3 * 2**30) for running in (0, 1, 2)] == [True, True, False]
    assert shares.room(0, 99 * 2**30)  # one always
    assert Shares(5, 0, []).room(4, 99 * 2**30)  # who says a number gets it


def test_free_memory_is_at_most_the_container_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, none = tmp_path / "memory.max", tmp_path / "unlimited"
    limit.write_text("1048576\n")
    none.write_text("max\n")
    monkeypatch.setattr("boxtune.execution.resources._CONTAINER_LIMITS", (str(none), str(tmp_path / "missing")))
    assert free_memory() > 2**20
    monkeypatch.setattr("boxtune.execution.resources._CONTAINER_LIMITS", (str(none), str(limit)))
    assert free_memory() == 2**20


def test_a_gpu_limit_without_a_gpu_is_a_warning() -> None:
    shares = Shares(parallel=2, gpus_each=1, available=[])
    assert "this machine shows none" in shares.warnings[0]
    assert "CUDA_VISIBLE_DEVICES" not in shares.take("a")
    assert shares.parallel == 2


def test_gpus_are_those_that_the_user_left_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    assert gpus() == ["1", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    listed = subprocess.CompletedProcess([], 0, "GPU 0: NVIDIA H100 (UUID: x)\nGPU 1: NVIDIA H100 (UUID: y)\n", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: listed)
    assert gpus() == ["0", "1"]
