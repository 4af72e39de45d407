"""What is wrong with records is found in each of them, at its place, and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.records import (
    BBOX,
    ENCODED,
    LABEL,
    OBJECT,
    TEXT,
    Change,
    Features,
    Made,
    boxes,
    edge,
    every,
    in_pixels,
    labels_of_nothing,
    nothing,
    one_side,
    only,
    picture,
    texts,
    without,
    without_boxes,
)
from trial_entry.errors import DataError
from trial_entry.finding import Finding
from trial_entry.records.dataset import evaluation_labels, inspect, look
from trial_entry.records.label_map import read_label_map
from trial_entry.records.look import RecordsLook, look_at
from trial_entry.records.objects import Expected
from trial_entry.records.tfrecord import spans

TRAIN, VALIDATION = 6, 4  # images, as they are made


def found_in(findings: Sequence[Finding], severity: str, file: str) -> Finding:
    (found,) = [each for each in findings if each.severity == severity and Path(each.file).name == file]
    return found


# What is done to a record, the number of the first that has it, how many have it, the feature, a word of what is said.
ERRORS: dict[str, tuple[Change, int, int, str, str]] = {
    "boxes in pixels": (every(in_pixels), 0, TRAIN, BBOX + "xmax", "is 48 (in pixels"),
    "one in pixels": (only(3, in_pixels), 3, 1, BBOX + "xmax", "a share of the image's width, from 0 to 1"),
    "in percent": (every(lambda image: boxes(image, lambda _, value: value * 100)), 0, TRAIN, BBOX + "xmax", "percent"),
    "one box beyond": (only(2, one_side("ymax", 1.4)), 2, 1, BBOX + "ymax", "is 1.4; it must be a share"),
    "far below 0": (only(2, one_side("xmin", -0.3)), 2, 1, BBOX + "xmin", "is -0.3"),
    "NaN": (only(1, one_side("xmax", float("nan"))), 1, 1, BBOX + "xmax", "is NaN"),
    "infinite": (only(1, one_side("ymin", float("-inf"))), 1, 1, BBOX + "ymin", "is infinite"),
    "its size in the place of an edge": (only(4, one_side("xmax", 0.05)), 4, 1, BBOX + "xmin", "add xmin to xmax if"),
    "pixels in the place of a file": (
        only(2, lambda image: image.update({ENCODED: bytes(96 * 64 * 3), "image/width": [96], "image/height": [64]})),
        2,
        1,
        ENCODED,
        "is the 96 x 64 pixels themselves",
    ),
    "swapped": (only(4, one_side("xmin", 0.45)), 4, 1, BBOX + "xmin", "is 0.45, above xmax, which is 0.4"),
    "outside": (only(4, lambda i: (edge(i, "xmin", -0.05), edge(i, "xmax", 0.0))), 4, 1, BBOX + "xmin", "lies outside"),
    "no area at all": (every(lambda image: boxes(image, lambda _, value: 0.5)), 0, 1, BBOX[:-1], "12 of 12 boxes"),
    "uneven": (
        only(1, lambda image: image[BBOX + "ymax"].pop()),
        1,
        1,
        BBOX[:-1],
        "has 2 xmin, 2 ymin, 2 xmax, 1 ymax",
    ),
    "a side missing": (every(without(BBOX + "ymin")), 0, TRAIN, BBOX[:-1], "0 ymin"),
    "no classes": (every(without(TEXT, LABEL)), 0, TRAIN, LABEL, "is missing for 2 boxes"),
    "fewer texts": (only(1, lambda image: image[TEXT].pop()), 1, 1, TEXT, "has 1 value for 2 boxes"),
    "more labels": (only(1, lambda i: (i.pop(TEXT), i[LABEL].append(1))), 1, 1, LABEL, "has 3 values for 2 boxes"),
    "label too high": (
        only(5, lambda i: (i.pop(TEXT), i.update({LABEL: [1, 9]}))),
        5,
        1,
        LABEL,
        "label 9 is outside 1",
    ),
    "label 0": (
        only(0, lambda i: (i.pop(TEXT), i.update({LABEL: [0, 1]}))),
        0,
        1,
        LABEL,
        "label 0 is outside 1 to num",
    ),
    "labels as texts": (every(lambda i: i.update({LABEL: [b"1", b"2"]})), 0, TRAIN, LABEL, "is bytes"),
    "labels as floats": (only(2, lambda i: i.update({LABEL: [1.0, 2.0]})), 2, 1, LABEL, "is float"),
    "boxes as integers": (
        only(2, lambda i: i.update({BBOX + "xmin": [1, 2]})),
        2,
        1,
        BBOX + "xmin",
        "it must be float",
    ),
    "an empty list of another type": (
        only(2, labels_of_nothing),
        2,
        1,
        LABEL,
        "is float",
    ),
    "a height of two": (only(2, lambda i: i.update({"image/height": [64, 64]})), 2, 1, "image/height", "has 2 values"),
    "texts against labels": (
        only(1, texts(lambda text: b"car")),
        1,
        1,
        TEXT,
        'is "car", and the API reads it as class 1',
    ),
    "empty texts": (only(0, texts(lambda text: b"")), 0, 1, TEXT, 'is empty, and the API reads it as class 3 ("tram")'),
    "no known text": (every(texts(lambda text: b"lorry")), 0, 1, TEXT, '"lorry" (12 of 12 boxes)'),
    "capitals": (every(texts(bytes.title)), 0, 1, TEXT, 'which differs from "car" by capitals alone'),
    "blanks": (every(texts(lambda text: text + b" ")), 0, 1, TEXT, 'which differs from "tram" by blanks alone'),
    "no image": (only(2, without(ENCODED)), 2, 1, ENCODED, "is missing"),
    "an empty image": (only(0, lambda i: i.update({ENCODED: b""})), 0, 1, ENCODED, "is empty"),
    "not an image": (only(2, lambda i: i.update({ENCODED: b"<html>"})), 2, 1, ENCODED, "is an HTML page"),
    "a cut image": (
        only(2, lambda i: i.update({ENCODED: i[ENCODED][:-20]})),
        2,
        1,
        ENCODED,
        "is a PNG that is cut off",
    ),
    "TIFF": (every(lambda i: i.update({ENCODED: picture(1, kind="TIFF")})), 0, TRAIN, ENCODED, "is TIFF"),
    "raw": (only(2, lambda i: i.update({"image/format": b"raw"})), 2, 1, "image/format", "is raw"),
    "a weight of NaN": (
        only(1, lambda i: i.update({OBJECT + "weight": [1.0, float("nan")]})),
        1,
        1,
        OBJECT + "weight",
        "",
    ),
    "a weight below 0": (
        only(1, lambda i: i.update({OBJECT + "weight": [1.0, -1.0]})),
        1,
        1,
        OBJECT + "weight",
        "is -1",
    ),
    "one weight": (
        every(lambda i: i.update({OBJECT + "weight": [1.0]})),
        0,
        TRAIN,
        OBJECT + "weight",
        "has 1 value for 2",
    ),
    "one area": (only(3, lambda i: i.update({OBJECT + "area": [1.0]})), 3, 1, OBJECT + "area", "has 1 value for 2"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_what_cannot_work_is_an_error_at_its_record(made: Made, kind: str) -> None:
    change, record, records, feature, says = ERRORS[kind]
    found = found_in(look(made(change, nothing)), "error", "train.record")
    assert (found.record, found.records, found.feature) == (record, records, feature)
    assert says in str(found)
    assert str(found).startswith(f"{found.file}: record {record}: {feature}: ")


@pytest.mark.parametrize("kind", ["boxes in pixels", "not an image", "no known text"])
def test_the_trial_refuses_it_with_the_same_words(made: Made, kind: str) -> None:
    config = made(nothing, ERRORS[kind][0])
    found = found_in(look(config), "error", "validation.record")
    for refuse in (inspect, evaluation_labels):
        with pytest.raises(DataError) as refused:
            refuse(config)
        assert str(refused.value) == str(found)


def test_an_evaluation_does_not_ask_for_the_training_s_records(made: Made) -> None:
    config = made(ERRORS["not an image"][0], nothing)
    assert evaluation_labels(config).labels == {1: "car", 2: "bus", 3: "tram"}
    with pytest.raises(DataError, match=r"train\.record"):
        inspect(config)


def test_several_errors_are_counted_on_one_line(made: Made) -> None:
    config = made(only(1, lambda i: [each(i) for each in (in_pixels, without(ENCODED))]), ERRORS["not an image"][0])
    with pytest.raises(DataError, match=r"record 1: .*\(2 more errors, which boxtune check lists\)$"):
        inspect(config)


# What is done to a record, the first that has it, the feature, a word of what is said.
WARNINGS: dict[str, tuple[Change, int, str, str]] = {
    "sticks out": (only(1, one_side("xmin", -0.02)), 1, BBOX + "xmin", "is -0.02: the box sticks out"),
    "sticks out below": (only(1, one_side("ymax", 1.05)), 1, BBOX + "ymax", "is 1.05"),
    "one box without an area": (only(3, one_side("xmin", 0.4)), 3, BBOX[:-1], "1 of 12 boxes"),
    "some texts unknown": (only(2, texts(lambda text: b"lorry")), 2, TEXT, '"lorry" (2 of 12 boxes)'),
    "labels from 0 beside texts": (
        every(lambda image: image.update({LABEL: [label - 1 for label in image[LABEL]]})),
        0,
        LABEL,
        "it counts from 0; class/text is read instead",
    ),
    "labels of 0 beside texts": (only(2, lambda image: image.update({LABEL: [0, 0]})), 2, LABEL, "it counts from 0"),
    "texts with line ends": (only(2, texts(lambda text: text + b"\n")), 2, TEXT, "which differs from"),
    "texts with what is not seen": (only(2, texts(lambda text: text + b"\0")), 2, TEXT, "that cannot be seen"),
    "texts as Python shows bytes": (only(2, texts(lambda text: repr(text).encode())), 2, TEXT, "as Python shows bytes"),
    "fewer labels beside texts": (only(2, lambda image: image[LABEL].pop()), 2, LABEL, "class/text is read instead"),
    "another size": (only(2, lambda i: i.update({"image/height": [96]})), 2, "image/width", "the image is 96 x 64 as"),
    "group_of of one": (only(2, lambda i: i.update({OBJECT + "group_of": [1]})), 2, OBJECT + "group_of", "for 2 boxes"),
}


@pytest.mark.parametrize("kind", WARNINGS)
def test_what_works_otherwise_than_it_looks_is_a_warning(
    made: Made, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    change, record, feature, says = WARNINGS[kind]
    config = made(change, nothing)
    found = found_in(look(config), "warning", "train.record")
    assert (found.record, found.feature) == (record, feature)
    assert says in str(found)
    assert str(found).isprintable()
    inspect(config)
    assert str(found) in caplog.messages


def half_without_boxes(image: Features, number: int) -> None:
    if number % 2:
        without_boxes(image)


SOUND: dict[str, Change] = {
    "as it is": nothing,
    "texts alone": every(without(LABEL)),
    "labels alone": every(without(TEXT)),
    "no sizes": every(without("image/height", "image/width")),
    "no source_id": every(without("image/source_id")),
    "an empty source_id": every(lambda image: image.update({"image/source_id": b""})),
    "rounding": only(1, one_side("xmax", 1.004)),
    "at the edges": every(lambda i: boxes(i, lambda side, _: 0.0 if side.endswith("min") else 1.0)),
    "half of them without a box": half_without_boxes,
    "another type of what is not read": every(lambda image: image.update({"image/object/view": [1, 2]})),
    "palettes": lambda image, number: image.update({ENCODED: picture(number, "P")}),
    "grey": lambda image, number: image.update({ENCODED: picture(number, "L")}),
    "CMYK": lambda image, number: image.update({ENCODED: picture(number, "CMYK", kind="JPEG")}),
    "difficult ones": every(lambda image: image.update({OBJECT + "difficult": [1, 1]})),
    "some crowds": every(lambda image: image.update({OBJECT + "is_crowd": [0, 1]})),
    "some weights of 0": every(lambda image: image.update({OBJECT + "weight": [0.0, 1.0]})),
}


@pytest.mark.parametrize("kind", SOUND)
def test_what_is_right_is_left_alone(made: Made, kind: str) -> None:
    assert look(made(SOUND[kind], nothing)) == []


def test_damage_is_found_beside_what_is_whole(made: Made, data: Path) -> None:
    config = made(only(5, lambda image: image.pop(ENCODED)), nothing)
    whole = (data / "train.record").read_bytes()
    changed = bytearray(whole)
    changed[200] ^= 1  # of the first record's data: the others can be read
    (data / "train.record").write_bytes(bytes(changed))
    assert [(each.record, each.feature) for each in look(config) if each.severity == "error"] == [(0, ""), (5, ENCODED)]
    (data / "train.record").write_bytes(whole[:-10])
    (found,) = look(config)
    assert (found.record, found.right) == (5, "write the file again")
    (data / "train.record").write_bytes(b"")
    assert [each.what for each in look(config)] == ["is empty"]


@pytest.mark.parametrize("records", [1, 2, 5, 100])
def test_spans_add_up_to_the_whole(made: Made, data: Path, records: int) -> None:
    """Whatever is counted, and where the first of it was."""
    made(lambda image, number: in_pixels(image) if number > 3 else None, only(1, texts(lambda text: b"lorry")))
    files = [data / "train.record", data / "validation.record"]
    expected = Expected(read_label_map(data / "label_map.pbtxt", 3), 3, 1)
    whole, summed = look_at(files, expected), RecordsLook(expected)
    for file in files:
        for span in spans(file, records):
            part = RecordsLook(expected)
            part.read(span)
            summed.add(part)
    assert summed.tally.findings() == whole.tally.findings() != []
    for name in ("images", "empty", "flat", "above", "lost", "unread", "objects", "crowds", "unknown", "weighted"):
        assert getattr(summed, name) == getattr(whole, name), name
    assert (summed.first, summed.sizes) == (whole.first, whole.sizes)
    assert (summed.image_keys, summed.source_keys) == (whole.image_keys, whole.source_keys)
    places = [summed.place(index) for index in range(summed.images)]
    assert places == [whole.place(index) for index in range(whole.images)]
    assert [(Path(each.file).stem, each.record) for each in places] == [
        *(("train", number) for number in range(TRAIN)),
        *(("validation", number) for number in range(VALIDATION)),
    ]


def test_a_finding_is_data() -> None:
    found = Finding("error", "is 9", "1 would do", "x.record", 7, LABEL, records=3)
    assert dataclasses.asdict(found)["record"] == 7
    assert str(found) == f"x.record: record 7: {LABEL}: is 9 (the first of 3 such records); 1 would do"
