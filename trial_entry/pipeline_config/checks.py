"""What a whole config must have before TensorFlow is worth importing for it."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config import image_size
from trial_entry.pipeline_config.inputs import TEST, readers, record_files
from trial_entry.pipeline_config.meanings import range_of
from trial_entry.pipeline_config.protos import CheckpointVersion, TrainEvalPipelineConfig

_META_ARCHITECTURES = ("ssd", "faster_rcnn", "center_net")


def num_classes(config: TrainEvalPipelineConfig) -> int:
    """The number of classes of the config's model."""
    return int(getattr(config.model, config.model.WhichOneof("model")).num_classes)


def check_model(config: TrainEvalPipelineConfig, where: str) -> None:
    """Refuse a model that cannot be built, as far as can be seen without building it.

    Raises:
        ConfigError: naming the field and what it should be.
    """
    _refuse(_model_problems(config), where)


def check_config(config: TrainEvalPipelineConfig, where: str) -> None:
    """Refuse a config that cannot be trained and evaluated.

    Raises:
        ConfigError: naming the field and what it should be.
    """
    _refuse(_problems(config), where)


def check_measured(config: TrainEvalPipelineConfig, where: str) -> None:
    """Refuse a config of which `keep_measured` has left one reader, and which cannot be evaluated.

    Raises:
        ConfigError: naming the field and what it should be.
    """
    _refuse(_measured_problems(config), where)


def _refuse(problems: Iterator[str], where: str) -> None:
    """Raises ConfigError with the first of them, if there is any."""
    problem = next(problems, None)
    if problem is not None:
        raise ConfigError(f"{where}: {problem}")


def _model_problems(config: TrainEvalPipelineConfig) -> Iterator[str]:
    if config.model.WhichOneof("model") not in _META_ARCHITECTURES:
        used = config.model.WhichOneof("model") or "not set"
        yield f"model: {used}; it must be one of {', '.join(_META_ARCHITECTURES)}"
    elif num_classes(config) < 1:
        yield f"model.{config.model.WhichOneof('model')}.num_classes: must be at least 1"
    elif (misfit := image_size.misfit(config)) is not None:
        yield f"{image_size.size_path(config)}: {misfit}"


def _problems(config: TrainEvalPipelineConfig) -> Iterator[str]:
    yield from _model_problems(config)
    if not config.HasField("train_input_reader"):
        yield "train_input_reader: not set"
    yield from _evaluation_problems(config)
    yield from _reading_problems(config)
    if config.train_config.optimizer.WhichOneof("optimizer") is None:
        yield "train_config.optimizer: not set"
    if not config.train_config.num_steps:
        yield "train_config.num_steps: not set; a trial must end (or assign num_steps or epochs)"
    train = config.train_config
    if train.fine_tune_checkpoint and train.fine_tune_checkpoint_version != CheckpointVersion.V2:
        yield "train_config.fine_tune_checkpoint_version: must be V2, the only one that TensorFlow 2 models restore"
    yield from _out_of_range(config, "")


def _measured_problems(config: TrainEvalPipelineConfig) -> Iterator[str]:
    yield from _model_problems(config)
    yield from _reading_problems(config)
    yield from _out_of_range(config, "")


def _reading_problems(config: TrainEvalPipelineConfig) -> Iterator[str]:
    for name, reader in readers(config):
        if not record_files(reader):
            yield f"{name}.tf_record_input_reader.input_path: no record file is named"
        if not reader.label_map_path:
            yield f"{name}.label_map_path: not set"
    if config.eval_config.use_moving_averages and not config.train_config.optimizer.use_moving_average:
        yield "eval_config.use_moving_averages: needs train_config.optimizer.use_moving_average, or there are none"


def _evaluation_problems(config: TrainEvalPipelineConfig) -> Iterator[str]:
    evaluated = [reader for reader in config.eval_input_reader if reader.name != TEST]
    if len(evaluated) != 1:
        yield f'eval_input_reader: there are {len(evaluated)}; one that is not called "{TEST}" is evaluated'
    elif config.eval_input_reader[0].name == TEST:
        yield f'eval_input_reader.0: called "{TEST}", which no trial reads; put the one that validates first'


def _out_of_range(message: Message, path: str) -> Iterator[str]:
    """Values that are set, but outside their field's meaning."""
    for descriptor, value in message.ListFields():
        where = f"{path}{descriptor.name}"
        if descriptor.message_type is None:
            meaning = range_of(descriptor)
            for item in value if descriptor.is_repeated else (value,):
                if meaning is not None and item not in meaning:
                    yield f"{where}: {item:g} is out of range; it must be {meaning}"
        elif descriptor.message_type.GetOptions().map_entry:
            continue
        elif descriptor.is_repeated:
            for number, item in enumerate(value):
                yield from _out_of_range(item, f"{where}.{number}.")
        else:
            yield from _out_of_range(value, f"{where}.")
