"""The watch over a training's loss: it has diverged where the loss is not finite, or far above its start for long."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trial_entry.contract.records import Divergence

_SMOOTHING = 0.9  # of the exponential moving average


@dataclass
class DivergenceMonitor:
    """Watches the training loss, step by step.

    Attributes:
        factor: diverged where the smoothed loss stays above this times its first value …
        patience: … for this many steps in a row.
        first, smoothed, above: its state, which goes on with the training.
    """

    factor: float = 10.0
    patience: int = 50
    first: float | None = None
    smoothed: float | None = None
    above: int = 0

    def observe(self, loss: float) -> str | None:
        """Take one step's loss; returns why the training has diverged, or None while it has not."""
        if not math.isfinite(loss):
            return "the loss is not finite"
        self.smoothed = loss if self.smoothed is None else _SMOOTHING * self.smoothed + (1 - _SMOOTHING) * loss
        if self.first is None:
            self.first = loss
        self.above = self.above + 1 if self.smoothed > self.factor * self.first else 0
        if self.above >= self.patience:
            return f"the loss stayed above {self.factor:g} times its first value for {self.above} steps"
        return None

    def state(self) -> Divergence:
        """What `resume` takes."""
        return Divergence(self.first, self.smoothed, self.above)

    def resume(self, state: Divergence) -> None:
        """Go on from an earlier `state`."""
        self.first, self.smoothed, self.above = state.first, state.smoothed, state.above
