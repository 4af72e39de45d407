"""The numbers of the readers that are used: how many are read at once, shuffled, sampled.

The source is the API's `builders/dataset_builder.py`; an evaluation reads every record once, in order, whatever its
reader says. Ranges that hold for any reader are in `meanings`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.inputs import TRAIN_READER, readers
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused, warned

_EXAMPLES = "TF_EXAMPLE"
_BUFFERS = ("shuffle_buffer_size", "filenames_shuffle_buffer_size")


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of every reader that a trial reads."""
    for path, reader in readers(config):
        yield from _type(path, reader)
        yield from _weights(path, reader)
        if path == TRAIN_READER:
            yield from _training(path, reader)
        elif reader.num_epochs > 1:
            yield warned(f"{path}.num_epochs", f"is {reader.num_epochs}: each record is evaluated once all the same")


def _type(path: str, reader: InputReader) -> Iterator[Finding]:
    types = reader.DESCRIPTOR.fields_by_name["input_type"].enum_type.values_by_number
    found = types[reader.input_type].name
    if found != _EXAMPLES:
        yield refused(
            f"{path}.input_type", f"{found} is not read here", f"must be {_EXAMPLES}, records of tf.train.Example"
        )


def _weights(path: str, reader: InputReader) -> Iterator[Finding]:
    weights, files = reader.sample_from_datasets_weights, reader.tf_record_input_reader.input_path
    where = f"{path}.sample_from_datasets_weights"
    if weights and len(weights) != len(files):
        what = f"has {len(weights)} numbers for {len(files)} files of input_path"
        yield refused(where, what, "one a file, patterns expanded, or none")
    elif weights and not sum(weights) > 0:
        yield refused(where, "are 0, so nothing is read")


def _training(path: str, reader: InputReader) -> Iterator[Finding]:
    if reader.shuffle:
        for name in _BUFFERS:
            if getattr(reader, name) < 1:
                yield refused(f"{path}.{name}", "is 0", "must be at least 1, or shuffle: false")
    if reader.num_epochs:
        what = f"is {reader.num_epochs}: training reads on until train_config.num_steps all the same"
        yield warned(f"{path}.num_epochs", what, "assign epochs, or set num_steps")
