"""From base config and assignments to the config that runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import write_config
from trial_entry.contract.arguments import Assignment
from trial_entry.errors import AssignmentError, ConfigError, RequestError
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.render import RenderedConfig
from trial_entry.pipeline_config.text import read_config
from trial_entry.records.dataset import count_train_examples


def rendered(path: Path, *assignments: str) -> RenderedConfig:
    base = replace(BaseConfig.read(path), count_examples=count_train_examples)
    return base.render([Assignment.parse(text) for text in assignments])


def test_the_order_of_assignments_does_not_matter(data: Path) -> None:
    path = data / "pipeline.config"
    given = ["epochs=2", "train_config.gradient_clipping_by_norm=5", "batch_size=8", "learning_rate=0.01"]
    forward, backward = rendered(path, *given), rendered(path, *reversed(given))
    assert forward.text == backward.text
    assert forward.config.train_config.num_steps == 10  # two epochs of 40 images in batches of 8


def test_paths_become_absolute_from_the_config_s_own_folder(data: Path) -> None:
    config = rendered(data / "pipeline.config").config
    assert config.train_input_reader.tf_record_input_reader.input_path[:] == [str(data / "train.record")]
    assert config.eval_input_reader[0].label_map_path == str(data / "label_map.pbtxt")


def test_globs_are_expanded_in_order(data: Path) -> None:
    for shard in ("b", "a"):
        shutil.copy(data / "train.record", data / f"shard-{shard}.record")
    path = write_config(data, **{'"train.record"': '"shard-*.record"'})
    config = rendered(path).config
    assert config.train_input_reader.tf_record_input_reader.input_path[:] == [
        str(data / f"shard-{shard}.record") for shard in "ab"
    ]


def test_equal_assignments_have_equal_digests_wherever_the_data_lies(data: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(data, elsewhere)
    here, there = (
        rendered(data / "pipeline.config", "batch_size=8"),
        rendered(elsewhere / "pipeline.config", "batch_size=8"),
    )
    assert here.digest == there.digest
    assert here.text != there.text
    assert rendered(data / "pipeline.config", "batch_size=2").digest != here.digest


def test_the_text_reads_back_as_the_config(data: Path) -> None:
    first = rendered(data / "pipeline.config", "learning_rate=0.0003")
    (data / "again.config").write_text(first.text)
    assert read_config(data / "again.config") == first.config


@pytest.mark.parametrize(
    ("assignments", "says"),
    [
        (("learning_rate=1", "learning_rate=2"), "assigned twice"),
        (("epochs=1", "num_steps=5"), "train_config.num_steps is assigned twice, by num_steps too"),
        (("batch_size=1", "train_config.batch_size=2"), "assigned twice"),
        (("nms_iou_threshold=1.7",), "from 0 to 1"),
        (("learning_rate=-1",), "above 0"),
        (("fine_tune_checkpoint=nowhere/ckpt-0",), "no checkpoint has this prefix"),
        (("batchsize=1",), "neither an alias nor a field path"),
    ],
)
def test_wrong_assignments_are_refused(data: Path, assignments: tuple[str, ...], says: str) -> None:
    with pytest.raises(RequestError) as raised:
        rendered(data / "pipeline.config", *assignments)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["learning_rate", "=1", ""])
def test_an_assignment_is_name_and_value(text: str) -> None:
    with pytest.raises(AssignmentError, match="joined by an equals sign"):
        Assignment.parse(text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({'"train.record"': '"missing.record"'}, "missing.record: no such file"),
        ({'"train.record"': '"missing-*.record"'}, "no file matches this pattern"),
        ({'"train.record"': f'"{"x" * 300}"'}, "File name too long (as user "),  # as a folder that is closed to us
        ({'label_map_path: "label_map.pbtxt"': ""}, "label_map_path: not set"),
        ({"num_classes: 5": ""}, "num_classes: must be at least 1"),
        ({"learning_rate_base: 0.001": "learning_rate_base: -1"}, "learning_rate_base: -1 is out of range"),
        ({"iou_threshold: 0.6": "iou_threshold: 1.7"}, "iou_threshold: 1.7 is out of range"),
        ({"num_steps: 6": ""}, "num_steps: not set"),
        (
            {"eval_config {": "eval_config { use_moving_averages: true"},
            "use_moving_averages: needs train_config.optimizer.use_moving_average",
        ),
        (
            {"model {\n": 'model { experimental_model { name: "x" } }\nmodel {\n'},
            'should not have multiple "model" fields',
        ),
        (
            {"\neval_config {": "\neval_input_reader {}\neval_config {"},
            "there are 2",
        ),
        ({"num_steps: 6": 'num_steps: 6 fine_tune_checkpoint: "ckpt-0"'}, "no checkpoint has this prefix"),
    ],
)
def test_a_config_that_cannot_run_is_refused(data: Path, change: dict[str, str], says: str) -> None:
    path = write_config(data)
    text = path.read_text()
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    with pytest.raises(RequestError) as raised:
        rendered(path)
    assert says in str(raised.value)


def test_a_v1_checkpoint_is_refused(data: Path) -> None:
    (data / "ckpt-0.index").write_bytes(b"\0")
    (data / "ckpt-0.data-00000-of-00001").touch()
    path = write_config(data, **{"num_steps: 6": 'num_steps: 6 fine_tune_checkpoint: "ckpt-0"'})
    with pytest.raises(ConfigError, match="must be V2"):
        rendered(path)


def test_a_typo_is_named_with_its_line_and_the_nearest_name(data: Path) -> None:
    path = write_config(data, **{"num_classes: 5": "num_clases: 5"})
    with pytest.raises(ConfigError) as raised:
        rendered(path)
    assert str(raised.value) == f'{path}:5:5: Ssd has no field "num_clases"; the nearest is "num_classes"'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"m\0o\0d\0", "is UTF-16"),
        (b"\0\1\2", "is no text"),
        (b"model { ssd { ", "a } is missing"),
        (None, "no such file"),
    ],
)
def test_an_unreadable_config_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "pipeline.config"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        rendered(path)


def test_rendering_needs_no_tensorflow(data: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config.base_config import BaseConfig
BaseConfig.read(Path({str(data / "pipeline.config")!r})).render([Assignment("learning_rate", "0.01")])
assert not [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "tf_keras", "keras")]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
