"""What an import wrote, read back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from trial_entry.records.detection_example import DetectionExample, read_detection_example
from trial_entry.records.examples import decode_example
from trial_entry.records.label_map import LabelMap
from trial_entry.records.tfrecord import read_records

_CLASS = re.compile(r'id: (\d+)\n {2}name: "(.*)"')


def labels_of(out: Path) -> dict[int, str]:
    """Class by number."""
    return {int(number): label for number, label in _CLASS.findall((out / "label_map.pbtxt").read_text())}


def examples(out: Path) -> Iterator[tuple[str, DetectionExample]]:
    """(split, example) of every record."""
    labels = LabelMap(labels_of(out))
    for file in sorted(out.glob("*-of-*")):
        for data in read_records(file):
            yield (
                file.name.partition("-")[0],
                read_detection_example(decode_example(data, file.name), labels, file.name),
            )


def pixel_boxes(example: DetectionExample) -> list[tuple[str, float, float, float, float]]:
    """(class, xmin, ymin, xmax, ymax) of every object that is no crowd, in pixels."""
    width, height = example.width, example.height
    return [
        (each.text, each.xmin * width, each.ymin * height, each.xmax * width, each.ymax * height)
        for each in example.objects
        if not each.is_crowd
    ]
