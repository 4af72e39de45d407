"""What a whole config must have before TensorFlow is worth importing for it: its rules, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trial_entry.errors import ConfigError
from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules import (
    augmentation,
    blocks,
    center_net,
    checkpoint,
    evaluating,
    extractor,
    faster_rcnn,
    model,
    paths,
    ranges,
    reader_numbers,
    reading,
    resizing,
    schedules,
    ssd,
    suppression,
    tasks,
    training,
    unread,
)
from trial_entry.pipeline_config.rules.rule import Rule

MODEL: tuple[Rule, ...] = (  # what can be built without data
    blocks.findings,
    extractor.findings,
    model.findings,
    resizing.findings,
    ssd.findings,
    faster_rcnn.findings,
    center_net.findings,
    suppression.findings,
)
PATHS: tuple[Rule, ...] = (paths.findings, checkpoint.findings)  # what is not worth looking for
MEASURED: tuple[Rule, ...] = (
    *MODEL,
    reading.findings,
    paths.findings,
    tasks.findings,
    training.average_findings,
    ranges.findings,
)
WHOLE: tuple[Rule, ...] = (
    *MODEL,
    reading.which_findings,
    reading.findings,
    paths.findings,
    tasks.findings,
    training.findings,
    checkpoint.findings,
    training.average_findings,
    ranges.findings,
    schedules.findings,
    augmentation.findings,
    reader_numbers.findings,
    training.precision_findings,
    training.boxes_findings,
    training.decay_findings,
    evaluating.findings,
    unread.findings,
)


def findings(config: TrainEvalPipelineConfig, rules: tuple[Rule, ...] = WHOLE) -> Iterator[Finding]:
    """Everything that is wrong with a config, by the rules that apply to what it is for."""
    for rule in rules:
        yield from rule(config)


def check(config: TrainEvalPipelineConfig, where: str, rules: tuple[Rule, ...] = WHOLE) -> None:
    """Refuse a config with which nothing can be done.

    Args:
        where: its name in messages.

    Raises:
        ConfigError: the first finding that is an error.
    """
    refuse(findings(config, rules), where)


def refuse(found: Iterable[Finding], where: str) -> None:
    """Raises ConfigError of the first of what was found that is an error; `where` is the config's name in messages."""
    wrong = next((each for each in found if each.severity == "error"), None)
    if wrong is not None:
        raise ConfigError(f"{where}: {wrong}")
