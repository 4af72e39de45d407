"""Delivery's replay: a published model made again from its reproduction.yaml, and compared with what was published."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxtune.delivery.asking import request_errors, to_standard_error
from boxtune.delivery.manifest import verify
from boxtune.delivery.model import Model, open_model
from boxtune.delivery.recipe import Recipe
from boxtune.delivery.reproduction import REPRODUCTION_FILE, Reproduction, read_reproduction
from boxtune.delivery.testing import EvaluateOptions, measure
from boxtune.delivery.training import TrainOptions, train
from boxtune.delivery.training_home import training_home
from boxtune.delivery.training_record import TrainingRecord
from boxtune.errors import InputError
from trial_entry.contract.metrics import STEPS_PER_SECOND
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.existing import absolute_path
from trial_entry.pipeline_config.inputs import (
    TEST,
    TRAIN_READER,
    all_readers,
    local_record_files,
    localized,
    record_files,
)
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import config_text, read_config
from trial_entry.records.tfrecord import summarize
from trial_entry.storage.paths import is_file, local_folder
from trial_entry.storage.urls import Remote, is_remote

EQUAL = 1e-6  # between metrics of one deterministic training on two occasions


@dataclass(frozen=True)
class ReplayOptions:
    """How a model is to be made again.

    Attributes:
        out: the folder or gs:// prefix that takes it.
        data: the folder or prefix of the records, where they moved; None for where the config says.
        anyway: whether other data are no reason to stop.
        command: as it was given.
    """

    out: Path | Remote
    data: str | None = None
    anyway: bool = False
    command: Sequence[str] = ()


@dataclass(frozen=True)
class Comparison:
    """One metric, published and made again.

    Attributes:
        split: that it is of.
        name: its name.
        published, again: values; None where one is missing.
    """

    split: str
    name: str
    published: float | None
    again: float | None

    @property
    def difference(self) -> float | None:
        """How much more it is now."""
        return None if self.published is None or self.again is None else self.again - self.published


@dataclass(frozen=True)
class Replayed:
    """A model made again.

    Attributes:
        comparisons: metric by metric.
        differences: what of data, versions and machine is not as it was, a line each.
        must_equal: whether the numbers must be the same: deterministic, in one go, on an equal machine.
    """

    comparisons: Sequence[Comparison]
    differences: Sequence[str]
    must_equal: bool

    @property
    def is_equal(self) -> bool:
        """Whether all of them are."""
        return all(each.difference is not None and abs(each.difference) <= EQUAL for each in self.comparisons)


def local_reproduction(place: str) -> Path:
    """The reproduction.yaml of a version in a folder or a bucket, with the whole version beside it.

    Raises:
        InputError: a bucket cannot be read, or nothing is there.
    """
    if not is_remote(place):
        file = Path(place)
        return file / REPRODUCTION_FILE if file.is_dir() else file
    folder, _, name = place.rpartition("/")
    with request_errors():
        return local_folder(folder) / name


def replay(file: Path, options: ReplayOptions, say: Callable[[str], None] = to_standard_error) -> Replayed:
    """Train again what reproduction.yaml describes, and measure it on the same splits.

    Args:
        say: is told what happens, a line at a time.

    Raises:
        InputError: the version is not whole or was changed, or the data are others than they were.
        Interrupted: a signal came; the same call goes on.
    """
    verify(file.parent)
    made = read_reproduction(file)
    with request_errors():
        config = _config(file.parent / made.config, made, options)
        others = list(_other_data(config, made))
        if others and not options.anyway:
            raise InputError(f"{others[0]}; --data names the folder of the same records, --anyway trains on these")
    for each in others:
        say(f"differs: {each}")
    before = training_home(options.out).read()
    if before is not None and before.source != str(file):
        raise InputError(f"{options.out}: holds a training already, of {before.source}; name another folder with --out")
    training = train(
        _recipe(config, made, file), TrainOptions(options.out, seed=made.seed, command=options.command), say
    )
    model = open_model(str(options.out))
    record = model.record()
    now = {"python": platform.python_version(), **record.versions}
    differences = [*others, *_other_machine(made, now, record.devices)]
    [again] = [each for each in training.seeds if each.seed == made.seed]
    comparisons = list(_compare("validation", made.validation, again.metrics))
    if made.test and not made.test_digest:
        say("note: the test's records were named by hand, so the test is not repeated")
    if made.test_digest:
        comparisons += _compare(TEST, made.test, measure(model, _test_options(model), say).record.metrics)
    in_one_go = made.began == 1 and len(record.started) == 1
    return Replayed(comparisons, differences, made.deterministic and in_one_go and not differences)


def _config(path: Path, made: Reproduction, options: ReplayOptions) -> TrainEvalPipelineConfig:
    """The published config, its records where they are here."""
    config = read_config(path)
    for where, reader in all_readers(config):
        if options.data is not None:
            _move(reader, options.data)
        missing = next((name for name in record_files(reader) if not is_file(name)), None)
        if missing is not None and (reader.name != TEST or made.test_digest):
            raise InputError(f"{where}: {missing}: not here; --data DIR names the folder that holds the records now")
    return config


def _move(reader: InputReader, folder: str) -> None:
    """Let a reader read files of the same names in another folder."""

    def moved(path: str) -> str:
        return absolute_path(f"{folder}/{PurePosixPath(path).name}", Path.cwd())

    reader.tf_record_input_reader.input_path[:] = map(moved, record_files(reader))
    reader.label_map_path = moved(reader.label_map_path)


def _other_data(config: TrainEvalPipelineConfig, made: Reproduction) -> Iterator[str]:
    """Records that are not those that the model was trained and measured on."""
    here = localized(config)
    for where, reader in all_readers(here):
        is_test = reader.name == TEST and where != TRAIN_READER
        before = made.test_digest if is_test else made.data.get(where, "")
        if before and summarize(local_record_files(reader)).digest != before:
            yield f"{where}: the records are not those of the published model (their digest differs)"


def _other_machine(made: Reproduction, versions: Mapping[str, str], devices: Sequence[str]) -> Iterator[str]:
    for name, before in made.versions.items():
        now = versions.get(name, before)
        if now != before:
            yield f"{name}: was {before}, is {now}"
    if made.devices and tuple(devices) != made.devices:
        yield f"devices: were {', '.join(made.devices)}, are {', '.join(devices)}"


def _recipe(config: TrainEvalPipelineConfig, made: Reproduction, file: Path) -> Recipe:
    with request_errors():
        rendered = BaseConfig.parse(config_text(config), str(file.with_name(made.config))).render([])
    if rendered.digest != made.config_digest:
        raise InputError(f"{file.with_name(made.config)}: is not the config that the model was trained with")
    request = made.request()
    objective = request.objective
    record = TrainingRecord(
        str(file),
        rendered.digest,
        objective=objective.metric,
        minimize=objective.minimize,
        assignments=made.assignments,
    )
    return Recipe(rendered.text, request, record)


def _test_options(model: Model) -> EvaluateOptions:
    """What is measured of a copy of what lies in a bucket stays beside the copy."""
    return EvaluateOptions(out=model.folder / TEST if model.is_fixed else None)


def _compare(split: str, published: Mapping[str, float], again: Mapping[str, float]) -> Iterator[Comparison]:
    """Every metric that says how good the model is; not how fast it was."""
    for name in published:
        if name != STEPS_PER_SECOND:
            yield Comparison(split, name, published[name], again.get(name))
