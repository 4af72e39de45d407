"""What a trial costs beside its steps: the stock programs and ours, one after the other, on the same config.

Stock is `model_main_tf2` for training and a second `model_main_tf2` for evaluation, with the smallest time-out that
works. Ours is one process: cold, as in a container, and warm, forked from a server as `boxtune run` does it. The fixed
cost is the wall time less the steps' own; a step's own time is that of the later steps.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.execution.processes import Processes, TrialProcess
from boxtune.execution.servers import TrialServers
from tests.conftest import QUICK_START
from tests.stock import stock
from tests.trials import COMMAND, rows, train_arguments, trial
from trial_entry.logs import without_chatter

Result = TypeVar("Result")
STEPS = 300  # whole blocks of the stock loop, which runs 100 at a time
ROUNDS = 3
SIDES = ("stock", "ours, cold", "ours, warm", "deterministic")


@dataclass(frozen=True)
class Trial:
    """One training with its evaluation; seconds, and MiB at the peak."""

    wall: float
    step: float
    memory: float

    @property
    def fixed(self) -> float:
        """Beside its steps."""
        return self.wall - STEPS * self.step


def main() -> None:
    """Run all of them ROUNDS times and print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_digits(folder, DigitsSpec())
        (folder / "pipeline.config").write_text((QUICK_START / "pipeline.config").read_text())
        with Processes(folder / "lock") as processes, TrialServers(processes, folder) as servers:
            _finish(servers.start([*COMMAND, "--help"], os.environ, folder, folder / "help.log"))  # imports done
            rounds = [Round(folder / str(number), processes, servers) for number in range(ROUNDS)]
            for each in rounds:
                each.run()
                print(each, file=sys.stderr, flush=True)
    print(f"{STEPS} steps and one evaluation of 150 images, SSD MobileNetV2 0.35 at 128 px, batch 16; {ROUNDS} rounds,")
    print("median (least–most); ratios are stock / ours of the same round\n")
    _table("fixed cost of a trial", rounds, lambda each: [each.stock.fixed, each.cold.fixed, each.warm.fixed])
    _table("whole trial", rounds, lambda each: [each.stock.wall, each.cold.wall, each.warm.wall])
    _table("one step", rounds, lambda each: [each.stock.step, each.cold.step, each.warm.step, each.deterministic.step])
    _table("peak memory", rounds, lambda each: [each.stock.memory, each.cold.memory, each.warm.memory], " MiB")
    _table("evaluation of a checkpoint", rounds, lambda each: each.evaluations)


class Round:
    """Every side once."""

    stock: Trial
    cold: Trial
    warm: Trial
    deterministic: Trial
    evaluations: Sequence[float]  # stock, cold, warm

    def __init__(self, folder: Path, processes: Processes, servers: TrialServers) -> None:
        folder.mkdir()
        self._folder, self._processes, self._servers = folder, processes, servers

    def __str__(self) -> str:
        trials = {"stock": self.stock, "cold": self.cold, "warm": self.warm}
        return "; ".join(f"{name} {each.wall:.1f} s, fixed {each.fixed:.1f} s" for name, each in trials.items())

    def run(self) -> None:
        """Ours first: it renders the config that stock reads."""
        self.cold = self._ours(self._processes, "cold")
        self.warm = self._ours(self._servers, "warm")
        self.deterministic = self._ours(self._servers, "deterministic", "--deterministic")
        config, model_dir = self._folder / "cold" / "pipeline.config", self._folder / "stock"
        flags = (f"--pipeline_config_path={config}", f"--model_dir={model_dir}")
        evaluate = (*flags, f"--checkpoint_dir={model_dir}", "--eval_timeout=1")
        training, memory = _timed(lambda: stock("model_main_tf2", *flags, f"--checkpoint_every_n={STEPS}"))
        evaluation, evaluation_memory = _timed(lambda: stock("model_main_tf2", *evaluate))
        memory = max(memory, evaluation_memory)
        self.stock = Trial(training + evaluation, _stock_step(model_dir), memory)
        cold, _ = _timed(lambda: self._run(self._processes, "evaluate", *flags))
        warm, _ = _timed(lambda: self._run(self._servers, "evaluate", *flags))
        self.evaluations = evaluation, cold, warm

    def _ours(self, starter: Processes | TrialServers, name: str, *more: str) -> Trial:
        model_dir = self._folder / name
        steps = f"--set=num_steps={STEPS}"
        arguments = train_arguments(self._folder.parent / "pipeline.config", model_dir, steps, *more)
        wall, _ = _timed(lambda: self._run(starter, *arguments))
        step = 1 / rows(model_dir)[-1]["metrics"]["train_steps_per_second"]
        return Trial(wall, step, trial(model_dir)["peak_memory_mib"])

    def _run(self, starter: Processes | TrialServers, *arguments: str) -> None:
        _finish(starter.start([*COMMAND, *arguments], os.environ, self._folder, self._folder / "log"))


def _finish(process: TrialProcess) -> None:
    while (code := process.reap()) is None:
        time.sleep(0.005)
    assert code == 0, code


def _timed(action: Callable[[], Result]) -> tuple[float, Result]:
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def _stock_step(model_dir: Path) -> float:
    with without_chatter():
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util import tensor_util
    events = EventAccumulator(str(model_dir / "train")).Reload()
    rates = [float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors("steps_per_sec")]
    return 1 / (sum(rates[1:]) / len(rates[1:]))


def _table(title: str, rounds: Sequence[Round], sides: Callable[[Round], Sequence[float]], unit: str = " s") -> None:
    print(f"{title}")
    measured = [sides(each) for each in rounds]
    for place, name in enumerate(SIDES[: len(measured[0])]):
        seconds = _spread([each[place] for each in measured], unit)
        ratio = f"   stock / ours {_spread([each[0] / each[place] for each in measured])}" if place else ""
        print(f"  {name:14}{seconds}{ratio}")


def _spread(values: Sequence[float], unit: str = "") -> str:
    return f"{statistics.median(values):.3g}{unit} ({min(values):.3g}–{max(values):.3g})"


if __name__ == "__main__":
    main()
