"""What a rung costs beside its steps, and where that goes: a training in one piece, and the same left at two rungs.

Trials as `boxtune run` starts them, forked from a server. What a process does is told by the lines that it logs, each
with the time at which it came. The steps' own time is that of the later steps, which the trial measures.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Thread

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.execution.processes import Processes
from boxtune.execution.servers import TrialServers
from boxtune.search.rungs import read_shares, rung_steps
from tests.conftest import QUICK_START
from tests.trials import COMMAND, rows, train_arguments

SHARES, STEPS, ROUNDS = "1/9,1/3,1", 375, 3
RESTORE, TRACE, OWN, SAVE, EVALUATE, REST = "build and restore", "trace", "steps", "save", "evaluate", "the rest"
START = "start"
# What begins where a line of this kind comes.
_BEGINS = (
    ("loading TensorFlow", RESTORE),
    ("training from|going on from", TRACE),
    ("step [0-9]+ of", OWN),
    ("evaluating step", EVALUATE),
    ("evaluated in", REST),
)
PARTS = (START, RESTORE, TRACE, SAVE, EVALUATE, REST)


def main() -> None:
    """Print what each process of a training costs beside its steps, in one piece and in rungs."""
    rungs = rung_steps(read_shares(SHARES), STEPS)
    assert rungs is not None
    found: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_digits(folder, DigitsSpec())
        (folder / "pipeline.config").write_text((QUICK_START / "pipeline.config").read_text())
        with Processes(folder / "lock") as processes, TrialServers(processes, folder) as servers:
            _seconds(servers, folder, ["--help"], folder / "help")  # imports done
            for number in range(ROUNDS):
                found["whole"].append(_trained(servers, folder, f"whole-{number}", STEPS, 0))
                for before, steps in zip((0, *rungs), rungs, strict=False):
                    found[f"to step {steps}"].append(_trained(servers, folder, f"rungs-{number}", steps, before))
    print(f"seconds beside the steps, {STEPS} steps of the demo's detector, medians of {ROUNDS} (of all: least–most)\n")
    print("| | all | " + " | ".join(PARTS) + " |\n|" + " --- |" * (len(PARTS) + 2))
    for name, each in found.items():
        total = [sum(parts.values()) for parts in each]
        cells = " | ".join(f"{statistics.median(parts[part] for parts in each):.1f}" for part in PARTS)
        print(f"| {name} | {statistics.median(total):.1f} ({min(total):.1f}–{max(total):.1f}) | {cells} |")


def _trained(servers: TrialServers, folder: Path, name: str, steps: int, before: int) -> dict[str, float]:
    """Seconds of one process by part, without the steps' own."""
    model_dir = folder / name
    ends = ("--set=num_steps=" + str(STEPS), f"--num_train_steps={steps}", "--seed=1")
    parts = _seconds(servers, folder, train_arguments(folder / "pipeline.config", model_dir, *ends), folder / "fifo")
    rate = rows(model_dir)[-1]["metrics"]["train_steps_per_second"]
    own = parts.pop(OWN)
    # The first step is part of the trace's time, the last one's checkpoint of the steps'.
    parts[SAVE] = max(own - (steps - before - 1) / rate, 0.0)
    return parts


def _seconds(servers: TrialServers, folder: Path, arguments: Sequence[str | Path], log: Path) -> dict[str, float]:
    """Of one process, by part: from each line that tells of a new part to the next."""
    os.mkfifo(log)
    marks = [(time.perf_counter(), START)]

    def read() -> None:
        with log.open() as lines:
            for line in lines:
                begun = next((part for pattern, part in _BEGINS if re.search(f"^\\S+ ({pattern})", line)), None)
                if begun is not None:
                    marks.append((time.perf_counter(), begun))

    reader = Thread(target=read)
    reader.start()
    process = servers.start([*COMMAND, *map(str, arguments)], os.environ, folder, log)
    while (code := process.reap()) is None:
        time.sleep(0.005)
    marks.append((time.perf_counter(), REST))
    reader.join()
    log.unlink()
    assert code == 0, code
    parts: dict[str, float] = dict.fromkeys((*PARTS, OWN), 0.0)
    for (begun, part), (ended, _) in pairwise(marks):
        parts[part] += ended - begun
    return parts


if __name__ == "__main__":
    main()
