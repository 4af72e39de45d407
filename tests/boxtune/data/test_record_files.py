"""What RECORDS on a command line stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxtune.data.record_files import file_split, find_records, read_all, read_some
from boxtune.errors import InputError
from tests.boxtune.data.made import box, example, write, write_label_map


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00010", "train"),
        ("train.record", "train"),
        ("coco_val.tfrecord-00003-of-00004", "coco_val"),
        ("validation-00001-of-00002.tfrecords", "validation"),
        ("00000-of-00001", "records"),
        ("my.data", "my.data"),
    ],
)
def test_a_split_is_a_file_s_name_without_shard_and_ending(name: str, split: str) -> None:
    assert file_split(name) == split


def test_a_folder_a_pattern_and_files_are_the_same_records(tmp_path: Path) -> None:
    cat = box(1, "cat", 0.1, 0.1, 0.5, 0.5)
    for split, shards in (("train", 2), ("test", 1)):
        for number in range(shards):
            write(tmp_path / f"{split}-{number:05d}-of-{shards:05d}", example([cat], name=f"{split}{number}"))
    write_label_map(tmp_path, "cat")
    (tmp_path / "import.json").write_text("{}")
    folder = find_records([str(tmp_path)])
    assert {split: len(files) for split, files in folder.splits.items()} == {"train": 2, "test": 1}
    assert folder.labels.labels == {1: "cat"}
    pattern = find_records([str(tmp_path / "t*-of-0000?")])
    assert pattern == folder
    assert find_records([str(tmp_path / "test-00000-of-00001"), str(tmp_path)]).splits.keys() == {"test", "train"}
    places = [(place.split, place.number, each.filename) for place, each in read_all(folder)]
    assert places == [("train", 0, "train0"), ("train", 0, "train1"), ("test", 0, "test0")]


def test_some_records_are_read_without_the_others(tmp_path: Path) -> None:
    file = write(tmp_path / "train.record", *(example(name=f"{number}.png") for number in range(6)))
    damaged = bytearray(file.read_bytes())
    damaged[40] ^= 1  # within the first record
    file.write_bytes(bytes(damaged))
    labels = find_records([str(file)]).labels
    assert [(number, each.filename) for number, each in read_some(file, {4, 2}, labels)] == [(2, "2.png"), (4, "4.png")]
    with pytest.raises(InputError, match="corrupt"):
        list(read_some(file, {0}, labels))


def test_a_label_map_of_another_place_is_taken_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write_label_map(tmp_path / "other", "dog")
    file = write(tmp_path / "train.record", example([box(1, "", 0.1, 0.1, 0.5, 0.5)]))
    assert find_records([str(file)]).labels.labels == {}
    (_, read), *_ = read_all(find_records([str(file)], other))
    assert read.objects[0].text == "dog"


def test_what_is_no_record_is_one_line(tmp_path: Path) -> None:
    for named, says in (
        (tmp_path / "nowhere.record", "nowhere.record: no such record file"),
        (tmp_path / "none-*", "no file matches"),
        (tmp_path, "no record file in this folder"),
    ):
        with pytest.raises(InputError, match=says):
            find_records([str(named)])
    file = write(tmp_path / "train.record", example())
    with pytest.raises(InputError, match="cannot be read as a label map"):
        find_records([str(file)], tmp_path / "no.pbtxt")
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(InputError, match="record 0"):
        list(read_all(find_records([str(file)])))
