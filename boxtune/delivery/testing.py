"""Delivery's test: a model measured on images that no trial has seen, with intervals, and every look remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from boxtune.data.image_groups import image_groups
from boxtune.data.importing.splitting import BY_IMAGE, Grouping
from boxtune.data.published import SPLITS, beside
from boxtune.delivery.asking import ask, request_errors, termination_as_interruption, to_standard_error
from boxtune.delivery.confirmed_looks import confirmed_looks
from boxtune.delivery.history import EVALUATED, Event, history, remember
from boxtune.delivery.measured_record import MEASURED_FILE, IntervalRecord, MeasuredRecord, read_measured
from boxtune.delivery.model import Model
from boxtune.delivery.record_files import write_record
from boxtune.errors import InputError
from trial_entry.contract.files import CONFIG_FILE, EVALUATION_FILE
from trial_entry.contract.records import EvaluationRecord, read_evaluation
from trial_entry.contract.requests import EvaluateRequest
from trial_entry.measuring.bootstrap import LEVEL, intervals
from trial_entry.measuring.detections_file import NamedDetections
from trial_entry.model_dir import write_atomically
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.existing import absolute_path
from trial_entry.pipeline_config.inputs import (
    TEST,
    TRAIN_READER,
    local_record_files,
    localized,
    readers,
    record_files,
)
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import config_text, read_config
from trial_entry.records.look import RecordsLook, look_at
from trial_entry.records.objects import Expected
from trial_entry.records.reader_findings import shared_findings
from trial_entry.records.tfrecord import summarize
from trial_entry.storage.paths import is_file, is_pattern, matching
from trial_entry.storage.urls import is_remote
from trial_entry.whole_folder import whole_folder

DETECTIONS_FILE = "detections.json"
_ANYTHING = Expected(None, None, None)
_GIVEN = "given"  # the reader of --records, for as long as it is looked for


@dataclass(frozen=True)
class EvaluateOptions:
    """How a model is to be measured.

    Attributes:
        split: TEST or VALIDATION.
        records: record files instead of the config's.
        label_map: of these; None for the config's own.
        group: what groups images besides the import's table, as `data import --group` has it.
        again: measure where the same was measured before.
        out: the folder for what is measured; None for the split's in the model's.
        pictures: how many images with their detections.
        score_threshold: for precision and recall, and for pictures.
        resamples: draws of the bootstrap.
    """

    split: str = TEST
    records: Sequence[str] = ()
    label_map: str | None = None
    group: str = BY_IMAGE
    again: bool = False
    out: Path | None = None
    pictures: int = 12
    score_threshold: float = 0.5
    resamples: int = 1000


@dataclass(frozen=True)
class Measured:
    """A look at a split.

    Attributes:
        folder: holds measured.json, the detections and the pictures.
        record: what was measured.
        fresh: whether it was measured now.
    """

    folder: Path
    record: MeasuredRecord
    fresh: bool


def measure(model: Model, options: EvaluateOptions, say: Callable[[str], None] = to_standard_error) -> Measured:
    """Measure a model on a split; once: what was measured before is given again, unless the options ask for more.

    Args:
        say: is told what happens, a line at a time.

    Raises:
        InputError: there is no such split, its images are trained on too, or the checkpoint is not the config's.
        Interrupted: a signal came; nothing was kept.
    """
    folder = _folder(model, options)
    with request_errors():
        named = _config(model, options)
        config = localized(named)
        files = local_record_files(config.eval_input_reader[0])
        tables = beside(record_files(named.eval_input_reader[0]), SPLITS)
        summary = summarize(files)
    digest, checkpoint = summary.digest, model.checkpoint_digest()
    before = read_measured(folder)
    if before is not None and not options.again and _is_same(before, options, digest, checkpoint):
        return Measured(folder, before, fresh=False)
    compared, shared = False, 0
    if options.split == TEST:
        compared, shared = compared_with_training(read_config(model.config), model.config.parent, files, say)
    looks = sum(each.event == EVALUATED and each.data_digest == digest for each in history(model.log))
    by_confirm = confirmed_looks(model, digest)
    whole = whole_folder(folder, MEASURED_FILE, "--out")
    with termination_as_interruption(), request_errors(), whole as (working, publish):
        write_atomically(working / CONFIG_FILE, config_text(config))
        ask(_request(model, options, working), say)
        found = read_evaluation(working)
        looked = Event(EVALUATED, model.place, options.split, digest, model.checkpoint_name, found.metrics)
        _remember(looked, model, say)
        say(f"drawing images {options.resamples} times for the intervals")
        record = replace(
            _record(working, found, options, looked, tables),
            records=tuple(map(str, files)),
            checkpoint_digest=checkpoint,
            look=looks + by_confirm + 1,
            confirm_looks=by_confirm,
            training_compared=compared,
            shared_with_validation=shared,
        )
        record = replace(record, left_out=summary.count - record.images)
        write_record(record, working / MEASURED_FILE)
        publish()
    return Measured(folder, record, fresh=True)


def _record(
    working: Path, found: EvaluationRecord, options: EvaluateOptions, looked: Event, tables: Sequence[Path]
) -> MeasuredRecord:
    """What was measured, with its intervals.

    Args:
        tables: of the images' groups.
    """
    held = NamedDetections.read(working / DETECTIONS_FILE)
    names = [held.names.get(each["id"], str(each["id"])) for each in held.detections.images]
    groups = image_groups(names, tables, Grouping(options.group))
    drawn = intervals(held.detections, held.class_names, options.score_threshold, groups, options.resamples)
    return MeasuredRecord(
        split=looked.split,
        data_digest=looked.data_digest,
        images=len(names),
        groups=len(set(groups)),
        checkpoint=looked.checkpoint,
        step=found.step,
        score_threshold=options.score_threshold,
        metrics=found.metrics,
        level=LEVEL,
        intervals={name: IntervalRecord(**asdict(each)) for name, each in drawn.items()},
        named=bool(options.records),
    )


def _folder(model: Model, options: EvaluateOptions) -> Path:
    """Where what is measured goes."""
    if options.out is not None:
        return options.out
    if model.is_fixed:
        what = "a published version, in which nothing is changed" if model.is_published else "in a bucket"
        raise InputError(f"{model.place}: is {what}; --out DIR takes what is measured")
    return model.folder / (f"{options.split}-{_GIVEN}" if options.records else options.split)


def _remember(event: Event, model: Model, say: Callable[[str], None]) -> None:
    """A look that cannot be remembered was taken all the same."""
    try:
        remember(model.log, event)
    except InputError as problem:
        say(f"warning: this look at {event.split} could not be remembered: {problem}")


def _is_same(before: MeasuredRecord, options: EvaluateOptions, digest: str, checkpoint: str) -> bool:
    same = before.checkpoint_digest == checkpoint and before.data_digest == digest and before.split == options.split
    return same and before.score_threshold == options.score_threshold


def _config(model: Model, options: EvaluateOptions) -> TrainEvalPipelineConfig:
    """The model's config with the one reader that is measured, its paths absolute."""
    base = BaseConfig.read(model.config)
    if options.records:
        _refuse_missing(options.records)
        base.config.eval_input_reader.append(_reader(base.config, options))
        return base.measured(_GIVEN)
    name = TEST if options.split == TEST else None
    if name == TEST and not any(reader.name == TEST for reader in base.config.eval_input_reader):
        raise InputError(
            f'{model.config}: no eval_input_reader is called "{TEST}"; name the test records with --records FILES '
            "(boxtune data import --config writes a config that has them), or measure on --split validation"
        )
    return base.measured(name)


def _refuse_missing(records: Sequence[str]) -> None:
    for path in records:
        if not (matching(absolute_path(path, Path.cwd())) if is_pattern(path) else is_file(path)):
            raise InputError(f"--records {path}: no such file")


def _reader(config: TrainEvalPipelineConfig, options: EvaluateOptions) -> InputReader:
    """The validation's reader, pointed at other records."""
    reader = InputReader()
    reader.CopyFrom(config.eval_input_reader[0])
    reader.ClearField("sample_1_of_n_examples")
    reader.name = _GIVEN
    reader.tf_record_input_reader.input_path[:] = [absolute_path(path, Path.cwd()) for path in options.records]
    if options.label_map is not None:
        reader.label_map_path = absolute_path(options.label_map, Path.cwd())
    return reader


def compared_with_training(
    config: TrainEvalPipelineConfig, folder: Path, files: Sequence[Path], say: Callable[[str], None]
) -> tuple[bool, int]:
    """Whether a training's records are here and share no image with its test split; how many validating images it has.

    Args:
        config: of the training; its relative paths are taken from `folder`.
        files: the test split's records.

    Raises:
        InputError: images of the split are trained on, or all of them validate.
    """
    split, compared, shared = look_at(files, _ANYTHING), False, 0
    for where, reader in readers(config):
        look = _look_here(where, reader, folder)
        if look is None:
            say(f"note: the records of {where} are not here, so {TEST} was not compared with them")
            continue
        compared = compared or where == TRAIN_READER
        found = next(iter(shared_findings(where, look, TEST, split)), None)
        if found is None:
            continue
        common = len(set(look.image_keys) & set(split.image_keys))
        if where == TRAIN_READER or common == len(set(split.image_keys)):
            raise InputError(f"{found.what}; a test is of images that took no part; make the split anew")
        shared = common
        say(f"warning: {found.what}; the search has seen them")
    return compared, shared


def _look_here(where: str, reader: InputReader, folder: Path) -> RecordsLook | None:
    """A look at a reader's records; None where they are not on this machine."""
    paths = [folder / path for path in reader.tf_record_input_reader.input_path if not is_remote(path)]
    if not paths or not all(path.is_file() for path in paths):
        return None
    return look_at(paths, _ANYTHING)


def _request(model: Model, options: EvaluateOptions, working: Path) -> EvaluateRequest:
    return EvaluateRequest(
        pipeline_config_path=working / CONFIG_FILE,
        model_dir=model.folder,
        checkpoint=model.checkpoint,
        score_threshold=options.score_threshold,
        output=working / EVALUATION_FILE,
        details=working,
        pictures=options.pictures,
        detections=working / DETECTIONS_FILE,
    )
