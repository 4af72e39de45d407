"""Records' features with the types that the API's decoder asks for; what it does not ask for may be anything.

The decoder refuses a whole batch for one feature of another type, an empty list of another type too. The table is
that of `TfExampleDecoder.keys_to_features` without options; a test holds the two together.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from trial_entry.finding import Finding, Severity
from trial_entry.records.examples import ExampleMessage

BYTES, INT, FLOAT = "bytes_list", "int64_list", "float_list"
_ATTRIBUTES = {BYTES: "texts", INT: "ints", FLOAT: "floats"}
TYPES = {BYTES: "bytes", INT: "int64", FLOAT: "float"}
ENCODED, FORMAT, SOURCE_ID, FILENAME = "image/encoded", "image/format", "image/source_id", "image/filename"
WIDTH, HEIGHT = "image/width", "image/height"
LABEL, TEXT = "image/object/class/label", "image/object/class/text"
WEIGHT, CROWD = "image/object/weight", "image/object/is_crowd"
BBOX = "image/object/bbox"
SIDES = tuple(f"{BBOX}/{side}" for side in ("xmin", "ymin", "xmax", "ymax"))
# Gathered box by box, so that another length ends the training, and those that are read without a look.
GATHERED = ("image/object/area", CROWD, "image/object/difficult")
UNGATHERED = ("image/object/group_of",)
SINGLE: Mapping[str, str] = {  # one value each
    ENCODED: BYTES,
    FORMAT: BYTES,
    FILENAME: BYTES,
    "image/key/sha256": BYTES,
    SOURCE_ID: BYTES,
    HEIGHT: INT,
    WIDTH: INT,
}
LISTS: Mapping[str, str] = {
    "image/class/text": BYTES,
    "image/class/label": INT,
    "image/neg_category_ids": INT,
    "image/not_exhaustive_category_ids": INT,
    "image/class/confidence": FLOAT,
    **dict.fromkeys(SIDES, FLOAT),
    LABEL: INT,
    TEXT: BYTES,
    "image/object/area": FLOAT,
    CROWD: INT,
    "image/object/difficult": INT,
    "image/object/group_of": INT,
    WEIGHT: FLOAT,
}
_NEARLY = 0.75  # the same: one word of the name is another
_KINDS = {**SINGLE, **LISTS}

Faults = list[tuple[str, Finding]]  # each with the name of its kind


@dataclass(frozen=True, slots=True)
class Features:
    """The values of every feature that the decoder reads, by the feature's name."""

    texts: dict[str, Sequence[bytes]] = field(default_factory=dict)
    ints: dict[str, Sequence[int]] = field(default_factory=dict)
    floats: dict[str, Sequence[float]] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """How many values a feature has; 0 where there is none."""
        return len(self.texts.get(name) or self.ints.get(name) or self.floats.get(name) or ())

    def first(self, name: str) -> bytes:
        """The text of a single feature; empty where there is none."""
        return bytes(self.texts[name][0]) if name in self.texts else b""


def typed_features(example: ExampleMessage) -> tuple[Features, Faults]:
    """The features of an Example, and what is wrong with their types.

    A feature of another type, or a single one with another number of values, is a fault and no feature.
    """
    found = Features()
    faults: dict[str, Finding] = {}
    for name, feature in sorted(example.features.feature.items()):
        asked = _KINDS.get(name)
        kind = feature.WhichOneof("kind") if asked is not None else None
        if asked is None or kind is None:
            continue
        values = getattr(feature, kind).value
        if kind != asked:
            _, wrong = fault("type", name, f"is {TYPES[kind]}", f"it must be {TYPES[asked]}")
            faults.setdefault(f"type {BBOX if name in SIDES else name}", wrong)  # one for all sides
        elif name in SINGLE and len(values) != 1:
            faults.update([fault("single", name, f"has {len(values)} values", "it must have one")])
        else:
            getattr(found, _ATTRIBUTES[kind])[name] = values
    return found, list(faults.items())


def misspelt(example: ExampleMessage, wanted: str, read: Collection[str]) -> list[str]:
    """Features of an Example that nothing reads and that are called nearly as `wanted` is.

    Args:
        read: features that are read besides those that always are.
    """
    others = [name for name in example.features.feature if name not in _KINDS and name not in read]
    return difflib.get_close_matches(wanted, others, n=1, cutoff=_NEARLY)


def length_faults(features: Features) -> Faults:
    """Lists of the objects' features whose lengths differ; where the sides do, nothing else is looked at."""
    counts = [features.count(side) for side in SIDES]
    boxes = counts[0]
    if len(set(counts)) > 1:
        said = ", ".join(f"{count} {side.rpartition('/')[2]}" for side, count in zip(SIDES, counts, strict=True))
        return [fault("sides", BBOX, f"has {said}", "a box needs one of each")]
    if not boxes:
        return []
    faults: Faults = []
    texts, labels = features.count(TEXT), features.count(LABEL)
    read = TEXT if texts else LABEL  # the decoder reads labels only where there is no text at all
    if (texts or labels) != boxes:
        faults.append(fault("classes", read, _for_boxes(texts or labels, boxes), "every box needs its class"))
    elif labels not in (0, boxes):
        ignored = f"{_for_boxes(labels, boxes)}; class/text is read instead"
        faults.append(fault("labels", LABEL, ignored, "", "warning"))
    for name in (WEIGHT, *GATHERED, *UNGATHERED):
        count = features.count(name)
        if count not in (0, boxes):
            severity: Severity = "warning" if name in UNGATHERED else "error"
            faults.append(fault("length", name, _for_boxes(count, boxes), "write one for each box, or none", severity))
    return faults


def fault(kind: str, feature: str, what: str, right: str, severity: Severity = "error") -> tuple[str, Finding]:
    """A finding of one record whose place is filled in by who knows it, with the name of its kind."""
    return f"{kind} {feature}", Finding(severity, what, right, feature=feature)


def _for_boxes(values: int, boxes: int) -> str:
    number = f"has {values} value{'s' * (values != 1)}" if values else "is missing"
    return f"{number} for {boxes} box{'es' * (boxes != 1)}"
