"""Label maps: which class a number stands for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from trial_entry.errors import DataError
from trial_entry.pipeline_config.protos import StringIntLabelMap
from trial_entry.pipeline_config.text import parse_text

_NOT_METRIC = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True)
class LabelMap:
    """Class labels by number; numbers start at 1 (0 is the background).

    Attributes:
        labels: the display name where there is one, as the API's evaluators use it.
        texts: the number that the API's decoder reads a record's class/text as. Names and display names both; where an
            item has but one of them, the empty text too has a number, the last such item's.
    """

    labels: dict[int, str]
    texts: dict[str, int] = field(default_factory=dict)

    def metric_names(self) -> dict[int, str]:
        """The name of each class as it stands in a metric: other characters than [A-Za-z0-9_-] become `_`.

        Where nothing but `_` would be left, or two labels become the same, it is the class's number.
        """
        names = {number: _NOT_METRIC.sub("_", label) for number, label in self.labels.items()}
        counts = Counter(names.values())
        return {
            number: name if counts[name] == 1 and name.strip("_") else str(number) for number, name in names.items()
        }

    def nameless(self) -> dict[int, str]:
        """The labels of classes whose metric has their number instead, by number."""
        names = self.metric_names()
        return {
            number: label
            for number, label in self.labels.items()
            if names[number] == str(number) and _NOT_METRIC.sub("_", label) != str(number)
        }


def read_label_map(path: Path, num_classes: int | None = None) -> LabelMap:
    """The label map in `path`, which must go with `num_classes` classes where there is a model to ask for them.

    Raises:
        ConfigError: not in protobuf text format.
        DataError: missing, empty, numbers below 1 or twice, or another highest number than `num_classes`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a label map: {error}") from None
    message = StringIntLabelMap()
    parse_text(text, message, str(path))
    labels: dict[int, str] = {}
    for item in message.item:
        label = item.display_name or item.name
        if item.id == 0 and item.name == "background":
            continue  # the API accepts this one entry
        if item.id < 1:
            raise DataError(f'{path}: "{label}" has id {item.id}; ids start at 1')
        if item.id in labels:
            raise DataError(f'{path}: "{labels[item.id]}" and "{label}" both have id {item.id}')
        labels[item.id] = label
    if not labels:
        raise DataError(f"{path}: no item; a label map has one `item {{ id: 1 name: '…' }}` a class")
    if num_classes is not None and max(labels) != num_classes:
        raise DataError(
            f"{path}: its highest id is {max(labels)}, but the config's model has num_classes: {num_classes}; "
            "make them equal"
        )
    return LabelMap(labels, _texts(message))


def _texts(message: StringIntLabelMap) -> dict[str, int]:
    """As `_ClassTensorHandler` of the API's `tf_example_decoder` looks texts up: the higher of two tables' numbers."""
    names = {item.name: int(item.id) for item in message.item}
    displayed = {item.display_name: int(item.id) for item in message.item}
    return {text: max(names.get(text, -1), displayed.get(text, -1)) for text in (*names, *displayed)}
