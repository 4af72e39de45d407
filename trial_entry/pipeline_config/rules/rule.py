"""What rules are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import ModelMessage, TrainEvalPipelineConfig

ARCHITECTURES = ("ssd", "faster_rcnn", "center_net")
Rule = Callable[[TrainEvalPipelineConfig], Iterator[Finding]]


def refused(field: str, what: str, right: str = "") -> Finding:
    """No trial can run with it.

    Args:
        field: its path in the config.
    """
    return Finding("error", what, right, feature=field)


def warned(field: str, what: str, right: str = "") -> Finding:
    """A trial runs, and does something else than it looks.

    Args:
        field: its path in the config.
    """
    return Finding("warning", what, right, feature=field)


def noted(field: str, what: str, right: str = "") -> Finding:
    """Nothing is wrong, and somebody who searches or trains this should know it.

    Args:
        field: its path in the config; several with a comma between.
    """
    return Finding("note", what, right, feature=field)


def model_of(config: TrainEvalPipelineConfig) -> tuple[str, ModelMessage | None]:
    """The path of the model that the config uses, and its message; None where it uses none that there are rules for."""
    used = config.model.WhichOneof("model")
    if used not in ARCHITECTURES:
        return "model", None
    return f"model.{used}", getattr(config.model, used)
