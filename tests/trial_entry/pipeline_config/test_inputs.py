"""The config's input readers: the one called "test" is no trial's, and may name files that no trial can see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_config
from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.checks import check
from trial_entry.pipeline_config.inputs import all_readers, localized, readers, resolve_paths, without_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import read_config


@pytest.fixture
def config(data: Path) -> TrainEvalPipelineConfig:
    """The quick-start's, with a test reader of records that are not there."""
    config = read_config(write_config(data))
    test = config.eval_input_reader[1]
    test.CopyFrom(config.eval_input_reader[0])
    test.name = "test"
    test.tf_record_input_reader.input_path[:] = ["vault/test-*-of-00002"]
    return config


def test_a_trial_neither_needs_nor_reads_the_test_reader(config: TrainEvalPipelineConfig, data: Path) -> None:
    check(config, "here")
    resolve_paths(config, data)
    assert [where for where, _ in readers(config)] == ["train_input_reader", "eval_input_reader.0"]
    assert list(dict(all_readers(config))) == ["train_input_reader", "eval_input_reader.0", "eval_input_reader.1"]
    kept = config.eval_input_reader[1].tf_record_input_reader.input_path
    assert list(kept) == [str(data / "vault" / "test-*-of-00002")]
    assert localized(config).eval_input_reader[1].tf_record_input_reader.input_path == kept
    assert not without_paths(config).eval_input_reader[1].tf_record_input_reader.input_path


def test_one_reader_validates_and_stands_first(config: TrainEvalPipelineConfig) -> None:
    config.eval_input_reader[1].name = "other"
    with pytest.raises(ConfigError, match="there are 2"):
        check(config, "here")
    config.eval_input_reader[0].name = "test"
    with pytest.raises(ConfigError, match="put the one that validates first"):
        check(config, "here")
