"""TFRecords, Examples and label maps, with TensorFlow's own reader and writer as the oracle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_config
from trial_entry.errors import ConfigError, DataError
from trial_entry.pipeline_config.text import read_config
from trial_entry.records.dataset import count_train_examples, inspect
from trial_entry.records.examples import decode_example, encode_example
from trial_entry.records.label_map import read_label_map
from trial_entry.records.tfrecord import read_records, summarize, write_records

RECORDS = [b"", b"a", b"b" * 1000, bytes(range(256))]


def test_what_is_written_is_what_tensorflow_reads(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    write_records(tmp_path / "ours", RECORDS)
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(tmp_path / "ours"))] == RECORDS
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in RECORDS:
            writer.write(record)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert list(read_records(tmp_path / "theirs")) == RECORDS


def test_an_example_is_tensorflow_s_example() -> None:
    tf = pytest.importorskip("tensorflow")
    data = encode_example({"bytes": b"x", "ints": [1, -2], "floats": [0.5], "none": []})
    example = tf.train.Example.FromString(data)
    assert example.features.feature["bytes"].bytes_list.value[:] == [b"x"]
    assert example.features.feature["ints"].int64_list.value[:] == [1, -2]
    assert example.features.feature["floats"].float_list.value[:] == [0.5]
    assert decode_example(example.SerializeToString(), "") == {
        "bytes": [b"x"], "ints": [1, -2], "floats": [0.5], "none": [],
    }  # fmt: skip


def test_the_summary_follows_content_and_order_not_names(tmp_path: Path) -> None:
    for name, records in {"a": RECORDS, "b": RECORDS, "c": RECORDS[::-1]}.items():
        write_records(tmp_path / name, records)
    first, same, other = (summarize([tmp_path / name]) for name in "abc")
    assert first == same
    assert first.count == other.count == 4
    assert first.digest != other.digest
    assert summarize([tmp_path / "a", tmp_path / "b"]).count == 8


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[:5], "ends within its header"),
        (lambda data: data[:-3], "ends within its data"),
        (lambda data: b"\x00" + data, "checksum of its length"),
        (lambda data: b"PK" + data[2:], "is this a TFRecord file?"),
        (lambda data: b"", "empty"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, damage: object, says: str) -> None:
    path = tmp_path / "x.record"
    write_records(path, [b"hello world"])
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(DataError) as raised:
        summarize([path])
    assert says in str(raised.value)
    assert str(path) in str(raised.value)


def test_changed_data_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    write_records(path, [b"hello world"])
    data = bytearray(path.read_bytes())
    data[15] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="record 0: is corrupt at byte 0"):
        list(read_records(path))


def test_a_data_set_is_counted_digested_and_labelled(data: Path) -> None:
    config = read_config(write_config(data))
    from trial_entry.pipeline_config.inputs import resolve_paths

    resolve_paths(config, data)
    dataset = inspect(config)
    assert dataset.num_train_examples == count_train_examples(config) == 40
    assert set(dataset.digests) == {"train_input_reader", "eval_input_reader.0"}
    assert dataset.label_map.labels[1] == "0"


def test_a_record_that_is_no_example_is_refused(data: Path) -> None:
    from trial_entry.pipeline_config.inputs import resolve_paths

    write_records(data / "train.record", [b"\xff\xff\xff"])
    config = read_config(write_config(data))
    resolve_paths(config, data)
    with pytest.raises(DataError, match=r"record 0: is no tf\.train\.Example"):
        inspect(config)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "item { id: 1 name: 'a' } item { id: 2 name: 'b' }",
            "label_map.pbtxt has 2 classes; write 2",
        ),
        ("item { id: 1 name: 'a' } item { id: 1 name: 'b' } item { id: 3 name: 'c' }", "both have id 1"),
        ("item { id: -1 name: 'a' } item { id: 3 name: 'b' }", "ids start at 1"),
        ("item { id: 0 name: 'a' } item { id: 3 name: 'b' }", "ids start at 1"),
        ("", "no item"),
    ],
)
def test_a_label_map_that_disagrees_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_text(text)
    with pytest.raises(DataError) as raised:
        read_label_map(path, 3)
    assert says in str(raised.value)


def test_a_label_map_with_a_typo_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_text("item {\n  idd: 1\n}")
    with pytest.raises(ConfigError, match=r"label_map.pbtxt:2:3: .* the nearest is \"id\""):
        read_label_map(path, 1)


def test_labels_become_metric_names_or_numbers_where_they_would_collide(tmp_path: Path) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_text("item { id: 1 name: 'n1' display_name: 'traffic light' } item { id: 2 name: 'käfer' }")
    assert read_label_map(path, 2).metric_names() == {1: "traffic_light", 2: "k_fer"}
    path.write_text("item { id: 1 name: 'a b' } item { id: 2 name: 'a/b' }")
    assert read_label_map(path, 2).metric_names() == {1: "1", 2: "2"}
    path.write_text("item { id: 1 name: '杯' } item { id: 2 name: 'cup' } item { id: 3 name: '3' }", encoding="utf-8")
    assert read_label_map(path, 3).metric_names() == {1: "1", 2: "cup", 3: "3"}
    assert read_label_map(path, 3).nameless() == {1: "杯"}
