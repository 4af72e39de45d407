"""Delivery's training.json: what was trained, from what, with which seeds, and which of them is the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boxtune.delivery.record_files import parse_record
from trial_entry.contract.metrics import MAP

TRAINING_FILE = "training.json"


@dataclass(frozen=True)
class SeedRecord:
    """One training.

    Attributes:
        seed: of everything random.
        folder: its MODEL_DIR, relative.
        went_on: the trial whose checkpoint it went on from, or empty.
        step: of the evaluation that counts; 0 while it has not ended.
        metrics: of that evaluation, on the validation split.
        diverged: why the training has diverged; empty where it has not.
    """

    seed: int
    folder: str
    went_on: str = ""
    step: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    diverged: str = ""


@dataclass(frozen=True)
class TrainingRecord:
    """training.json.

    Attributes:
        source: the run, Experiment or config that was named.
        experiment: the Experiment's name; empty of a config.
        algorithm: that it was searched by; empty of a config.
        trials: how many the search had; 0 of a config.
        trial: the trial's name; empty of a config.
        assignments: what the search assigned.
        config_digest: SHA-256 of the config without its input paths.
        image: of the trials' container; empty where there was none.
        objective: the metric that chooses among seeds.
        minimize: whether less of it is better.
        command: as it was given.
        confirmation: what fresh trainings have confirmed of the trial; empty where nothing is.
        confirmed_data, confirmed_look: SHA-256 of the test split's records that boxtune confirm had looked at, and how
            often; empty and 0 where it had not.
        seeds: every training, in order.
        chosen: the folder of the best seed; None before all have ended.
    """

    source: str
    config_digest: str
    experiment: str = ""
    algorithm: str = ""
    trials: int = 0
    trial: str = ""
    assignments: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    objective: str = MAP
    minimize: bool = False
    command: tuple[str, ...] = ()
    confirmation: str = ""
    confirmed_data: str = ""
    confirmed_look: int = 0
    seeds: tuple[SeedRecord, ...] = ()
    chosen: str | None = None


def parse_training(content: bytes, where: str) -> TrainingRecord:
    """What training.json holds; `where` names it.

    Raises:
        InputError: it is no such record.
    """
    return parse_record(TrainingRecord, content, where, "the record of a training")


def read_training(home: Path) -> TrainingRecord | None:
    """training.json of a folder; None where there is none.

    Raises:
        InputError: it is no such record.
    """
    file = home / TRAINING_FILE
    return parse_training(file.read_bytes(), str(file)) if file.exists() else None
