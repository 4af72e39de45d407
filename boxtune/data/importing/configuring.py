"""Data's way to a search: a pipeline.config and an Experiment that point at the records of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path

from boxtune.data.findings import Finding
from boxtune.data.importing.shards import Shard
from boxtune.data.importing.splitting import TRAIN, VALIDATION
from boxtune.data.published import CONFIG, EXPERIMENT, LABEL_MAP
from boxtune.errors import AnnotationsError, InputError
from trial_entry.errors import RequestError
from trial_entry.finding import errors_of
from trial_entry.pipeline_config.aliases.alias import Feasible
from trial_entry.pipeline_config.checks import findings
from trial_entry.pipeline_config.inputs import TEST, all_readers, readers
from trial_entry.pipeline_config.listing import Assignable, assignable_aliases
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import ARCHITECTURES, model_of
from trial_entry.pipeline_config.suggesting import fitting
from trial_entry.pipeline_config.text import config_text, read_config
from trial_entry.records.asked import asked_of

_MOUNTED = "/data"  # where the Experiment's pods see the folder
_REFUSED = "with what every trial refuses"
_NAME_LENGTH = 40  # of an Experiment's name, in Katib
_SET_PATHS = re.compile(r"^(?P<indent> *)- --set=\S+(?:input_path|label_map_path)=/data/.*\n", re.MULTILINE)
_SEARCHED = ("learning_rate", "batch_size", "nms_iou_threshold")  # by the usual Experiment, where the config has it


def read_base(path: Path) -> TrainEvalPipelineConfig:
    """The config that is to train on the records.

    Raises:
        InputError: unreadable, no pipeline.config, or one without a model.
    """
    if not path.is_file():
        raise InputError(f"--config {path}: no such file")
    try:
        config = read_config(path)
    except RequestError as error:
        raise InputError(f"--config: {error}") from None
    if model_of(config)[1] is None:
        raise InputError(f"--config {path}: model: not set; a detector is one of {', '.join(ARCHITECTURES)}")
    return config


def write_configs(
    folder: Path,
    name: str,
    base: TrainEvalPipelineConfig,
    shards: Sequence[Shard],
    numbers: Mapping[str, int],
    most: int,
) -> list[Finding]:
    """CONFIG, whose paths are relative to the folder, and EXPERIMENT, which sees the folder as the volume `data`.

    Args:
        name: what the Experiment is called, before what Katib does not take is left out of it.
        most: objects of an image; what the config reads of one is raised to it.

    Returns:
        What of the config was changed besides where it reads, and what of it no trial takes.

    Raises:
        AnnotationsError: there are no records to validate on.
    """
    if not any(shard.split == VALIDATION for shard in shards):
        raise AnnotationsError("--config: no image validates; ask for a split, such as --split validation=0.2")
    config = _pointed(base, shards, numbers)
    raised = _raise_limits(config, most)
    (folder / CONFIG).write_text(config_text(config), encoding="utf-8")
    (folder / EXPERIMENT).write_text(_experiment(name, config), encoding="utf-8")
    why = f"whose max_number_of_boxes was raised to {most}, which an image has"
    repaired = [Finding("repaired", "file", why, 1, [f"{CONFIG}: {where}"]) for where in raised]
    wrong = [f"{CONFIG}: {each}" for each in _wrong(config)]
    return [*repaired, Finding("warned", "file", _REFUSED, len(wrong), wrong)] if wrong else repaired


def _pointed(
    base: TrainEvalPipelineConfig, shards: Sequence[Shard], numbers: Mapping[str, int]
) -> TrainEvalPipelineConfig:
    """The config with its readers, and the number of classes, those of the records."""
    config = TrainEvalPipelineConfig()
    config.CopyFrom(base)
    getattr(config.model, config.model.WhichOneof("model")).num_classes = max(numbers.values())
    validation = InputReader()
    if config.eval_input_reader:
        validation.CopyFrom(config.eval_input_reader[0])
    validation.ClearField("sample_1_of_n_examples")  # of other data, and every image counts
    validation.shuffle, validation.num_epochs = False, 1
    del config.eval_input_reader[:]
    splits = {shard.split: shard for shard in shards}
    _point(config.train_input_reader, splits[TRAIN])
    _point(validation, splits[VALIDATION])
    config.eval_input_reader.add().CopyFrom(validation)
    if TEST in splits:
        _point(validation, splits[TEST])
        validation.name = TEST  # which no trial reads
        config.eval_input_reader.add().CopyFrom(validation)
    return config


def _raise_limits(config: TrainEvalPipelineConfig, most: int) -> list[str]:
    """Readers (and the training) that would drop boxes of the image with the most; what was raised."""
    named = [*all_readers(config), ("train_config", config.train_config)]
    low = [(where, each) for where, each in named if each.max_number_of_boxes < most]
    for _, each in low:
        each.max_number_of_boxes = most
    return [where for where, _ in low]


def _wrong(config: TrainEvalPipelineConfig) -> Iterator[str]:
    """What no trial takes of the config, or with these records, which have boxes alone."""
    yield from map(str, errors_of(findings(config)))
    for where, reader in readers(config):
        asking = {each.field: each.feature for each in asked_of(where, reader, None) if not each.optional}
        for field, feature in asking.items():
            yield f"{field}: the records have no {feature}; leave it out"


def _point(reader: InputReader, shard: Shard) -> None:
    reader.label_map_path = LABEL_MAP
    reader.tf_record_input_reader.input_path[:] = [shard.pattern]


def _experiment(name: str, config: TrainEvalPipelineConfig) -> str:
    """The usual random search, its ranges around the config's own values, with the config as its ConfigMap."""
    text = resources.files("boxtune.data.importing").joinpath("templates", EXPERIMENT).read_text(encoding="utf-8")
    text = text[text.index("apiVersion:") :]
    at = _SET_PATHS.search(text)
    assert at is not None  # the usual Experiment says where its data lie
    text = _SET_PATHS.sub("", text)
    text = text[: at.start()] + "".join(f"{at['indent']}- {each}\n" for each in _arguments(config)) + text[at.start() :]
    text = text.replace("  name: experiment\n", f"  name: {_experiment_name(name)}\n", 1)
    ranges = {each.name: each.feasible for each in fitting(config, _searchable(config))}
    for alias in _SEARCHED:
        text = _with_range(text, alias, ranges.get(alias))
    block = "".join(f"    {line}\n" for line in config_text(config).splitlines())
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: pipeline-config\ndata:\n"
    return f"{text}---\n{head}  {CONFIG}: |\n{block}"


def _arguments(config: TrainEvalPipelineConfig) -> Iterator[str]:
    """Where the readers' files are in the pod."""
    for where, reader in all_readers(config):
        [path] = reader.tf_record_input_reader.input_path
        yield f"--set={where}.tf_record_input_reader.input_path={_MOUNTED}/{path}"
        yield f"--set={where}.label_map_path={_MOUNTED}/{reader.label_map_path}"


def _searchable(config: TrainEvalPipelineConfig) -> list[Assignable]:
    return [each for each in assignable_aliases(config) if each.name in _SEARCHED]


def _with_range(text: str, alias: str, feasible: Feasible | None) -> str:
    """The Experiment with this range of the alias; without the parameter where the config has nothing to search."""
    block = rf"(?P<head> *- name: {alias}\n.*\n *feasibleSpace: ).*\n"
    if feasible is not None:
        return re.sub(block, rf"\g<head>{_space(feasible)}\n", text)
    for part in (block, rf" *- {{name: \w+, reference: {alias}}}\n", rf" *- --set={alias}=.*\n"):
        text = re.sub(part, "", text)
    return text


def _space(feasible: Feasible) -> str:
    if feasible.values:
        quoted = ", ".join(f'"{value}"' for value in feasible.values)
        return f"{{list: [{quoted}]}}"
    scale = ", distribution: logUniform" if feasible.log else ""
    return f'{{min: "{feasible.low}", max: "{feasible.high}"{scale}}}'


def _experiment_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_NAME_LENGTH].strip("-") or "experiment"
