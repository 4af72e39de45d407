"""Measuring's comparison of an exported file with its checkpoint: how much mAP it loses, whether that is too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trial_entry.contract.metrics import MAP, class_metric, is_metric

_CLASS = class_metric("")  # what the name of a class's mAP begins with
_DIGITS = 6  # of a kept difference: beyond them is what float32 rounds away


@dataclass(frozen=True)
class Allowed:
    """What an exported file may differ by.

    Attributes:
        loss: of mAP.
        gain: of mAP, likewise; infinite where more is no mistake, as of quantized weights.
        lost_classes: whether a class may fall to 0 that was not.
    """

    loss: float
    gain: float
    lost_classes: bool


def drops(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What is lost of each mAP, over all classes and by class, by the metric's name; negative where it rose.

    Args:
        before, after: metrics of the same images.
    """
    compared = [name for name in before if name == MAP or (name.startswith(_CLASS) and is_metric(name))]
    return {name: round(before[name] - after.get(name, 0.0), _DIGITS) for name in compared}


def too_much(before: Mapping[str, float], after: Mapping[str, float], allowed: Allowed) -> str:
    """What is lost beyond what is allowed, in words with both numbers; empty where nothing is."""
    loss = before[MAP] - after.get(MAP, 0.0)
    if loss > allowed.loss or -loss > allowed.gain:
        limit = allowed.loss if loss > 0 else allowed.gain
        said = f"mAP {after.get(MAP, 0.0):.4f}, the checkpoint's is {before[MAP]:.4f} on the same images"
        return f"{said}: {abs(loss):.4f} {'less' if loss > 0 else 'more'}, {limit:g} is allowed"
    lost = [name for name in drops(before, after) if name != MAP and before[name] > 0 and after.get(name, 0.0) <= 0]
    if lost and not allowed.lost_classes:
        classes = ", ".join(f'"{name.removeprefix(_CLASS)}" (was {before[name]:.4f})' for name in lost)
        return f"mAP 0 of the class{'es' * (len(lost) > 1)} {classes}"
    return ""
