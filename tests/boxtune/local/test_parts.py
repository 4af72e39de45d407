"""The pieces of a local run, one by one."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from boxtune.errors import InputError, Interrupted, RunFolderError
from boxtune.experiment.experiment import DEFAULT_FILTER
from boxtune.local.history import open_run
from boxtune.local.journal import Journal, read_events
from boxtune.local.keeping import Keep, Keeper
from boxtune.local.resources import Shares, free_memory, gpus
from boxtune.local.shell_line import expand, wrap
from boxtune.runs.collector import collect
from tests.experiments import shell_experiment

# What Katib v0.19's webhook makes of `python train.py --lr 1`, read from its source.
PLAIN = "python train.py --lr 1 1>/var/log/katib/metrics.log 2>&1 && echo completed > /var/log/katib/$$$$.pid"
STOPPING = (
    "python train.py --lr 1 1>/var/log/katib/metrics.log 2>&1 || if test -f /var/log/katib/$$$$.pid && "
    "[ $(head -n 1 /var/log/katib/$$.pid) = early-stopped ]; then echo Training Container was Early Stopped; "
    "else echo Training Container was Failed; exit 1; fi && echo completed > /var/log/katib/$$$$.pid"
)


def test_the_shell_line_is_katib_s() -> None:
    command = ["python", "train.py", "--lr", "1"]
    assert wrap(command) == ["sh", "-c", PLAIN]
    assert wrap(command, early_stopping=True) == ["sh", "-c", STOPPING]
    assert wrap(["bash", "-c", "x | y"])[:2] == ["bash", "-c"]
    assert wrap(["sh", "train.sh"]) == ["sh", "-c", PLAIN.replace("python train.py --lr 1", "sh train.sh")]
    assert "1>" not in wrap(command, redirect=False)[2]


def test_the_kubelet_s_expansion() -> None:
    known = {"HOME": "/root", "A.B": "x"}
    assert expand("$(HOME)/a $(NONE) $$ $$$$ $(A.B) $HOME $(a b)", known) == "/root/a $(NONE) $ $$ x $HOME $(a b)"
    assert expand("$$(HOME)", known) == "$(HOME)"


def test_metrics_are_read_as_katib_reads_them(tmp_path: Path) -> None:
    log = tmp_path / "metrics.log"
    log.write_text(
        "2026-01-01T00:00:00.000001Z mAP=0.3\n"
        "noise about mAP: 0.9 and recall\n"
        "2026-01-01T00:00:02Z mAP=0.5 loss=1e-3\n"
        "2026-01-01T00:00:01.123456789Z mAP=0.4\n"
        "2026-01-01T00:00:03Z loss = -2.5\n"
        "other=7\n"
    )
    found = collect(log, ["mAP", "loss", "absent"], [DEFAULT_FILTER])
    assert (found["mAP"].minimum, found["mAP"].maximum, found["mAP"].latest) == ("0.3", "0.5", "0.5")
    assert (found["loss"].minimum, found["loss"].latest) == ("-2.5", "-2.5")
    assert found["absent"].value("max") is None


def test_a_nan_is_no_number(tmp_path: Path) -> None:
    log = tmp_path / "metrics.log"
    log.write_text("mAP=nan\n")
    assert collect(log, ["mAP"], [DEFAULT_FILTER])["mAP"].value("max") is None
    log.write_text("mAP: 0.3\n")
    assert collect(log, ["mAP"], [DEFAULT_FILTER]) == {}
    assert collect(tmp_path / "missing", ["mAP"], [DEFAULT_FILTER]) == {}


def test_other_filters_and_json(tmp_path: Path) -> None:
    log = tmp_path / "metrics.log"
    log.write_text("{metricName: mAP, metricValue: 0.7}\n")
    only = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"
    assert collect(log, ["mAP"], [only])["mAP"].latest == "0.7"
    log.write_text('{"timestamp": "2026-01-01T00:00:00Z", "mAP": "0.1"}\n{"timestamp": 1, "mAP": "0.2"}\n')
    found = collect(log, ["mAP"], [], "JSON")
    assert (found["mAP"].latest, found["mAP"].maximum) == ("0.1", "0.2")


def test_a_torn_last_line_was_never_written(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    journal = Journal(file)
    for number in range(3):
        journal.append("created", number=number)
    journal.close()
    whole = file.read_bytes()
    for torn in (b'{"event": "cre', b'{"event": "created", "number": 3}', b"\x00\x00"):
        file.write_bytes(whole + torn)
        assert [event["number"] for event in read_events(file)] == [0, 1, 2]
        journal = Journal(file)
        journal.append("created", number=9)
        journal.close()
        assert [event["number"] for event in read_events(file)] == [0, 1, 2, 9]


def test_a_damaged_journal_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text('{"event": "a"}\nrubbish\n{"event": "b"}\n')
    with pytest.raises(RunFolderError, match=r"journal.jsonl:2: not an event"):
        read_events(file)


def test_a_journal_of_a_thousand_trials_loads_in_under_a_second(tmp_path: Path) -> None:
    experiment = shell_experiment(maxTrialCount=1000)
    events: list[dict[str, object]] = [
        {"event": "experiment", "time": "2026-01-01T00:00:00.000000Z", "experiment": experiment, "config_maps": {},
         "options": {}}
    ]  # fmt: skip
    for number in range(1000):
        name, moment = f"shell-{number + 1:04d}", "2026-01-01T00:00:00.000000Z"
        metric = {"name": "score", "minimum": "0.1", "maximum": "0.1", "latest": "0.1"}
        events += [
            {"event": "created", "time": moment, "trial": name, "number": number, "assignments": {"x": "0.5"}},
            {"event": "started", "time": moment, "trial": name},
            {"event": "ended", "time": moment, "trial": name, "condition": "Succeeded", "reason": "", "exit_code": 0,
             "observation": [metric] * 5, "seconds": 1.0},
        ]  # fmt: skip
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    began = time.perf_counter()
    run = open_run(tmp_path)
    assert time.perf_counter() - began < 1
    assert len(run.trials) == 1000


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
    monkeypatch.setattr("boxtune.local.resources.free_memory", lambda: 8 * 2**30)
    shares = Shares("auto", 0, [])
    assert [shares.room(running, 0) for running in (0, 4, 5)] == [True, True, False]  # 1.5 GiB until one has run
    assert [shares.room(running, 3 * 2**30) for running in (0, 1, 2)] == [True, True, False]
    assert shares.room(0, 99 * 2**30)  # one always
    assert Shares(5, 0, []).room(4, 99 * 2**30)  # who says a number gets it


def test_free_memory_is_at_most_the_container_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, none = tmp_path / "memory.max", tmp_path / "unlimited"
    limit.write_text("1048576\n")
    none.write_text("max\n")
    monkeypatch.setattr("boxtune.local.resources._CONTAINER_LIMITS", (str(none), str(tmp_path / "missing")))
    assert free_memory() > 2**20
    monkeypatch.setattr("boxtune.local.resources._CONTAINER_LIMITS", (str(none), str(limit)))
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


@pytest.mark.parametrize("text", ["best", "best:0", "best:x", "some", ""])
def test_keep_is_best_all_or_none(text: str) -> None:
    with pytest.raises(InputError, match="must be best:N"):
        Keep.parse(text)
    assert (Keep.parse("best:2").best, Keep.parse("all").best, Keep.parse("none").best) == (2, None, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_trial_is_not_begun_where_it_may_not_fit(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a file system")
    try:
        with pytest.raises(Interrupted, match="100 MiB are free, the next trial may need 256 MiB"):
            Keeper(Keep(None), small).refuse_full_disk()
    finally:
        subprocess.run(["umount", str(small)], check=True)
    Keeper(Keep(None), tmp_path).refuse_full_disk()
