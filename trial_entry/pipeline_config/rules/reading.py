"""What the input readers must name."""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.inputs import TEST, readers, record_files
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Files and label maps of every reader that a trial reads."""
    for name, reader in readers(config):
        if not record_files(reader):
            yield refused(f"{name}.tf_record_input_reader.input_path", "no record file is named")
        if not reader.label_map_path:
            yield refused(f"{name}.label_map_path", "not set")


def which_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """One reader to train on, and one that validates."""
    if not config.HasField("train_input_reader"):
        yield refused("train_input_reader", "not set")
    evaluated = [reader for reader in config.eval_input_reader if reader.name != TEST]
    if len(evaluated) != 1:
        right = f'one that is not called "{TEST}" is evaluated'
        yield refused("eval_input_reader", f"there are {len(evaluated)}", right)
    elif config.eval_input_reader[0].name == TEST:
        right = "put the one that validates first"
        yield refused("eval_input_reader.0", f'called "{TEST}", which no trial reads', right)
