"""Label maps: which class a number stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from trial_entry.errors import ConfigError, DataError
from trial_entry.pipeline_config.protos import StringIntLabelMap
from trial_entry.pipeline_config.text import parse_text
from trial_entry.pipeline_config.text_mistakes import decoded, other_format
from trial_entry.records.other_label_maps import as_label_map

_BACKGROUND = "background"
_WANTED = "a label map is protobuf text: item { id: 1 name: 'car' }, one for each class"
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
    message = read_label_map_message(path)
    labels: dict[int, str] = {}
    for item in message.item:
        label = item.display_name or item.name
        if item.id == 0 and _BACKGROUND in (item.name, item.display_name):
            continue  # the API accepts this one entry
        if not item.HasField("id"):
            raise DataError(f'{path}: "{label}" has no id; write id: 1 for the first class, 2 for the next')
        if item.id < 1:
            raise DataError(f'{path}: "{label}" has id {item.id}; ids start at 1 (0 is the background)')
        if item.id in labels:
            raise DataError(f'{path}: "{labels[item.id]}" and "{label}" both have id {item.id}')
        labels[item.id] = label
    if not labels:
        raise DataError(f"{path}: no item; {_WANTED}")
    if num_classes is not None and (misfit := classes_misfit(labels, num_classes, str(path))):
        raise DataError(f"num_classes {'; '.join(misfit)}")
    return LabelMap(labels, _texts(message))


def classes_misfit(labels: Collection[int], num_classes: int, name: str = "") -> tuple[str, str] | None:
    """What is wrong with a model's `num_classes` beside the numbers of a label map, and what would be right; None where
    nothing is.

    Args:
        name: the label map's file, where it is known.
    """
    highest = max(labels)
    if highest == num_classes:
        return None
    count = f"{highest} class{'es' * (highest > 1)}" if highest == len(labels) else f"classes up to id {highest}"
    return f"is {num_classes}, but {f'the label map {name}'.strip()} has {count}", f"write {highest}"


def read_label_map_message(path: Path) -> StringIntLabelMap:
    """What a label map's file says, as it stands.

    Raises:
        ConfigError: no label map in protobuf text format; where it is one in another, that which is meant.
        DataError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a label map: {error.strerror}") from None
    text = decoded(data, str(path), _WANTED)
    message = StringIntLabelMap()
    try:
        parse_text(text, message, str(path))
    except ConfigError:
        meant, named = as_label_map(text), other_format(text)
        if not meant and not named:
            raise
        what = f"is {named}" if named else "is no label map but a list of names"
        right = f"a label map is protobuf text; this one would be: {meant}" if meant else _WANTED
        raise ConfigError(f"{path}: {what}; {right}") from None
    return message


def _texts(message: StringIntLabelMap) -> dict[str, int]:
    """As `_ClassTensorHandler` of the API's `tf_example_decoder` looks texts up: the higher of two tables' numbers."""
    names = {item.name: int(item.id) for item in message.item}
    displayed = {item.display_name: int(item.id) for item in message.item}
    return {text: max(names.get(text, -1), displayed.get(text, -1)) for text in (*names, *displayed)}
