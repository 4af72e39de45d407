"""Delivery's choice of the split that repeats are measured on: the test split, where the config has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.importing.splitting import VALIDATION
from boxtune.data.published import SPLITS, beside
from boxtune.delivery.asking import request_errors
from boxtune.delivery.testing import compared_with_training
from boxtune.errors import InputError
from boxtune.experiment.trial_command import TrialCommand
from boxtune.local.repeats import Repeater
from boxtune.runs.run import Run
from boxtune.runs.trained_config import trained_config
from trial_entry.contract.files import CONFIG_FILE
from trial_entry.contract.metrics import DIVERGED, STEPS_PER_SECOND, is_metric
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.inputs import TEST, local_record_files, localized, record_files
from trial_entry.records.tfrecord import summarize
from trial_entry.storage.paths import is_file
from trial_entry.storage.urls import Remote

_OF_TRAINING = (STEPS_PER_SECOND, DIVERGED)  # which no evaluation measures


@dataclass(frozen=True)
class Split:
    """Where repeats are measured.

    Attributes:
        name: TEST or VALIDATION.
        why: why it is not the test split; empty where it is.
        config: a pipeline.config of a trial that has it; None where there is none here.
        digest: SHA-256 of its records; empty where they cannot be read.
        tables: of its images' groups, that an import left.
    """

    name: str
    why: str = ""
    config: Path | Remote | None = None
    digest: str = ""
    tables: tuple[Path, ...] = ()

    @property
    def is_test(self) -> bool:
        """Whether it took no part in the search."""
        return self.name == TEST

    @property
    def reader(self) -> str | None:
        """As `trial_entry evaluate --reader` has it."""
        return TEST if self.is_test else None


def find_split(repeater: Repeater, asked: str | None, say: Callable[[str], None]) -> Split:
    """The split, by the config that one of the run's trials has left.

    Args:
        asked: TEST or VALIDATION; None for the test split where there is one.
        say: is told what should be known of it, a line each.

    Raises:
        InputError: the test split is asked for and there is none, its records are not here, or it is trained on.
    """
    config = next(_configs(repeater), None)
    why = _why_not_test(repeater.run, config, asked)
    if config is None or why:
        if asked == TEST:
            raise InputError(f"--split test: {why}")
        return Split(VALIDATION, why, config, *_validation_records(config))
    try:
        digest, tables = _test_records(config, say)
    except InputError as problem:
        raise InputError(f"the test split: {problem} (--split validation measures on that one)") from None
    return Split(TEST, "", config, digest, tables)


def _configs(repeater: Repeater) -> Iterator[Path | Remote]:
    """Those that trials have left, repeats first."""
    if not repeater.template.is_own:
        return
    run = repeater.run
    for trial in run.repeats:
        if trial.condition.measured and is_file(str(place := repeater.model_dir(trial) / CONFIG_FILE)):
            yield place
    for trial in run.everything:
        found = trained_config(trial)
        if found is not None and found.is_file():
            yield found


def _why_not_test(run: Run, config: Path | Remote | None, asked: str | None) -> str:
    """Why values are not those of a test split; empty where they are."""
    metric = run.experiment.objective.metric
    if run.experiment.template.job is not None and not TrialCommand(run.experiment.template).is_own:
        return "the trials are not python -m trial_entry, and measure themselves"
    if asked == VALIDATION:
        return "--split validation asks for it"
    if config is None:
        return "no trial has left a pipeline.config here"
    if not is_metric(metric) or metric in _OF_TRAINING:
        return f"{metric} is nothing that an evaluation measures"
    with request_errors():
        named = [reader for reader in BaseConfig.read(config).config.eval_input_reader if reader.name == TEST]
    return "" if named else f'the config has no eval_input_reader called "{TEST}"'


def _test_records(config: Path | Remote, say: Callable[[str], None]) -> tuple[str, tuple[Path, ...]]:
    with request_errors():
        files, tables = _records(config, TEST)
        compared_with_training(BaseConfig.read(config).config, Path(), files, say)  # a trial's paths are whole
        return summarize(files).digest, tables


def _validation_records(config: Path | Remote | None) -> tuple[str, tuple[Path, ...]]:
    """Nothing where they cannot be read."""
    if config is None:
        return "", ()
    try:
        with request_errors():
            files, tables = _records(config, None)
            return summarize(files).digest, tables
    except InputError:
        return "", ()


def _records(config: Path | Remote, reader: str | None) -> tuple[list[Path], tuple[Path, ...]]:
    """Files of the records that a reader has, and tables of their images' groups."""
    named = BaseConfig.read(config).measured(reader)
    tables = beside(record_files(named.eval_input_reader[0]), SPLITS)
    return local_record_files(localized(named).eval_input_reader[0]), tuple(tables)
