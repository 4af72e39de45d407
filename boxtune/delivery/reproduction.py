"""Delivery's reproduction.yaml: what it takes to make a published model again, and to see if it is the same."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from boxtune.delivery.asking import request_errors
from boxtune.delivery.measured_record import MeasuredRecord
from boxtune.delivery.model import Model
from boxtune.delivery.training_record import TrainingRecord
from boxtune.errors import InputError
from trial_entry.contract.files import CONFIG_FILE
from trial_entry.contract.json_records import from_json, to_json
from trial_entry.contract.records import MetricRow, TrialRecord, read_rows
from trial_entry.contract.requests import TrainRequest, parse
from trial_entry.errors import RequestError

REPRODUCTION_FILE = "reproduction.yaml"
FORMAT = 1
_NOWHERE = Path()


@dataclass(frozen=True)
class Reproduction:
    """reproduction.yaml.

    Attributes:
        format: FORMAT.
        name, version: of the model.
        command: that trained it.
        experiment, algorithm, trial: of the search; empty where there was none.
        assignments: that the search chose.
        image: of the trials' container; empty where there was none.
        config: the complete config, beside this file.
        config_digest: SHA-256 of it without its input paths.
        arguments: of the training besides the config's and the model's places, quoted for a shell.
        seed: of everything random.
        deterministic: whether the same seed gives the same numbers on one machine.
        began: how often the training was begun: after a pause its random numbers are others.
        step: of the checkpoint that is the model.
        data: SHA-256 of the records, by the reader's name.
        versions: by package, and Python's.
        devices: TensorFlow's names.
        validation: metrics of the checkpoint on the validation split.
        test: metrics on the test split; empty where nobody has looked.
        test_digest: SHA-256 of its records; empty where they were named by hand, and are not the config's.
    """

    format: int
    name: str
    version: str
    config_digest: str
    arguments: str
    seed: int
    deterministic: bool
    began: int
    step: int
    data: Mapping[str, str]
    versions: Mapping[str, str]
    validation: Mapping[str, float]
    config: str = CONFIG_FILE
    command: str = ""
    experiment: str = ""
    algorithm: str = ""
    trial: str = ""
    assignments: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    devices: tuple[str, ...] = ()
    test: Mapping[str, float] = field(default_factory=dict)
    test_digest: str = ""

    def text(self) -> str:
        """What reproduction.yaml holds."""
        return yaml.safe_dump(_plain(to_json(self)), sort_keys=False, allow_unicode=True)

    def request(self) -> TrainRequest:
        """The training's arguments; its places are to be filled in.

        Raises:
            InputError: this version does not know them.
        """
        try:
            given = ["train", "--pipeline_config_path=.", "--model_dir=.", *shlex.split(self.arguments)]
            request = parse(given)
        except (RequestError, ValueError) as wrong:
            raise InputError(f"{REPRODUCTION_FILE}: arguments: {wrong}") from None
        assert isinstance(request, TrainRequest)
        return request


def reproduction_of(
    model: Model, name: str, version: str, training: TrainingRecord | None, test: MeasuredRecord | None
) -> Reproduction:
    """Of a model that a trial of this program left.

    Args:
        training: its training.json, where there is one.
        test: what was measured of this checkpoint on the test split, if anything.

    Raises:
        InputError: nobody kept how it was trained.
    """
    record = model.record()
    if record.seed is None:
        raise InputError(
            f"{model.folder}: no trial.json says how it was trained, so nobody could make it again; boxtune train "
            f"{model.config} trains one that can be"
        )
    row = _row(model)
    return Reproduction(
        FORMAT,
        name,
        version,
        record.config_digest,
        _arguments(record),
        record.seed,
        record.deterministic,
        len(record.started),
        row.step,
        dict(record.data_digests),
        {"python": platform.python_version(), **record.versions},
        dict(row.metrics),
        command=shlex.join(training.command) if training is not None else "",
        experiment=training.experiment if training is not None else "",
        algorithm=training.algorithm if training is not None else "",
        trial=training.trial if training is not None else "",
        assignments=dict(training.assignments) if training is not None else dict(record.assignments),
        image=training.image if training is not None else "",
        devices=record.devices,
        test=dict(test.metrics) if test is not None else {},
        test_digest=test.data_digest if test is not None and not test.named else "",
    )


def _row(model: Model) -> MetricRow:
    """The evaluation of the checkpoint that counts."""
    with request_errors():
        rows = read_rows(model.folder)
    found = next((row for row in rows if str(row.step) == model.step), None)
    if found is None:
        raise InputError(f"{model.folder}: metrics.json has no evaluation of step {model.step}; train it to its end")
    return found


def _arguments(record: TrialRecord) -> str:
    """What was given to the training beside places and assignments, which the config holds."""
    try:
        request = parse(shlex.split(record.arguments))
    except (RequestError, ValueError):
        return f"--seed={record.seed}"
    assert isinstance(request, TrainRequest)
    plain = replace(
        request,
        pipeline_config_path=_NOWHERE,
        model_dir=_NOWHERE,
        model_root=None,
        assignments=(),
        fragments=(),
        checkpoint_for=(),
        seed=record.seed,
    )
    places = ("train", "--pipeline_config_path", "--model_dir")
    return shlex.join(each for each in plain.argv() if not each.startswith(places))


def read_reproduction(file: Path) -> Reproduction:
    """reproduction.yaml.

    Raises:
        InputError: missing, no such record, or of a newer format.
    """
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
        found = from_json(Reproduction, value, str(file))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}; it lies beside a published model") from None
    except (yaml.YAMLError, UnicodeDecodeError, RequestError) as wrong:
        raise InputError(f"{file}: no {REPRODUCTION_FILE} of a published model: {wrong}") from None
    if found.format != FORMAT:
        raise InputError(f"{file}: of format {found.format}; this version of boxtune knows {FORMAT}")
    return found


def _plain(value: object) -> object:
    """Lists for tuples, which YAML would write with a tag."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
