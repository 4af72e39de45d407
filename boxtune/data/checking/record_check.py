"""Data's check of records: every record of every split looked at and every image decoded, on all cores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.checking.leaks import leak_findings, repeated_findings
from boxtune.data.checking.record_pictures import RecordPictures
from boxtune.data.checking.small_objects import small_object_findings
from boxtune.data.parallel import cores, in_parallel
from boxtune.data.record_files import RecordFiles
from trial_entry.errors import RequestError
from trial_entry.finding import Finding
from trial_entry.pipeline_config.classes import classes_path, num_classes
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.features import ENCODED
from trial_entry.records.label_map import LabelMap, classes_misfit
from trial_entry.records.look import Looked, RecordsLook
from trial_entry.records.objects import Expected
from trial_entry.records.reader_findings import (
    box_limit_findings,
    flat_findings,
    named,
    object_findings,
    same_source_findings,
    shape_findings,
    unknown_findings,
)
from trial_entry.records.tfrecord import Span, spans

_RECORDS_AT_ONCE = 64  # of a file, by one process
_NAMED = 3  # of several, the first
_FEW_OBJECTS = 10  # of a class in training, from which nothing is learned
_RARE = 100  # times rarer than the commonest class
_SHARD = re.compile(r"(?P<number>\d{5})-of-(?P<count>\d{5})")


@dataclass(frozen=True)
class SplitLook:
    """One split with all that was seen of it.

    Attributes:
        name: such as `train`.
        files: its record files.
        look: at its records.
        pictures: its images decoded.
    """

    name: str
    files: Sequence[Path]
    look: RecordsLook
    pictures: RecordPictures

    @property
    def trains(self) -> bool:
        """Whether it is trained on, by its name."""
        return self.name.startswith("train")

    def classes(self, labels: LabelMap) -> dict[str, int]:
        """Number of objects by class; by its number where there is no label map."""
        numbers = sorted(labels.labels or self.look.objects)
        return {labels.labels.get(number, str(number)): self.look.objects[number] for number in numbers}


@dataclass(frozen=True)
class RecordCheck:
    """What a check has found.

    Attributes:
        labels: the label map; empty where there is none.
        splits: in the order in which they were named.
        findings: what is wrong.
    """

    labels: LabelMap
    splits: Sequence[SplitLook]
    findings: Sequence[Finding]

    def counts(self) -> dict[str, dict[str, object]]:
        """Images, images without a box and objects, of each split, and by class."""
        return {
            split.name: {
                "images": split.look.images,
                "empty": split.look.empty,
                "objects": split.look.boxes,
                "classes": split.classes(self.labels),
            }
            for split in self.splits
        }


@dataclass(frozen=True)
class _Task:
    span: Span
    expected: Expected


def check_records(
    records: RecordFiles, config: TrainEvalPipelineConfig | None = None, processes: int | None = None
) -> RecordCheck:
    """Look at every record, decode every image, compare the splits.

    Args:
        config: what they are to be used with, where that is known.
        processes: how many; all cores where nobody says.

    Raises:
        AnnotationsError: a process was killed.
    """
    labels = records.labels
    classes = max(labels.labels, default=None) if config is None else num_classes(config)
    limit = None if config is None else int(config.train_input_reader.max_number_of_boxes)
    expected = Expected(labels if labels.labels else None, classes, limit)
    looks = {name: (RecordsLook(expected), RecordPictures()) for name in records.splits}
    tasks = [(name, span) for name, files in records.splits.items() for file in files for span in _spans(file)]
    found = in_parallel(_look, [_Task(span, expected) for _, span in tasks], _processes(processes, len(tasks)), 1)
    for (name, _), (look, pictures) in zip(tasks, found, strict=True):
        whole, seen = looks[name]
        seen.add(pictures, whole.images)
        whole.add(look)
    splits = [SplitLook(name, files, *looks[name]) for name, files in records.splits.items()]
    return RecordCheck(labels, splits, list(_findings(labels, splits, config)))


def _processes(wanted: int | None, tasks: int) -> int:
    return max(1, min(wanted or cores(), tasks))


def _spans(file: Path) -> Iterator[Span]:
    try:
        yield from spans(file, _RECORDS_AT_ONCE)
    except RequestError:
        yield Span(file)  # whoever looks at it says why


def _look(task: _Task) -> tuple[RecordsLook, RecordPictures]:
    look, pictures = RecordsLook(task.expected), RecordPictures()

    def each(looked: Looked) -> None:
        pictures.see(look, looked)

    look.read(task.span, each)
    return look, pictures


def _findings(
    labels: LabelMap, splits: Sequence[SplitLook], config: TrainEvalPipelineConfig | None
) -> Iterator[Finding]:
    yield from _label_map_findings(labels, config)
    for split in splits:
        yield from _shard_findings(split.files)
        yield from split.look.tally.findings()
        yield from split.pictures.tally.findings()
        yield from flat_findings(split.look)
        yield from unknown_findings(split.look, labels)
        yield from object_findings(split.look, labels, split.name, trains=split.trains)
        yield from _balance_findings(split, labels)
        yield from _empty_findings(split)
        yield from repeated_findings(split.name, split.look)
        if not split.trains:
            yield from same_source_findings(split.look)
        if config is not None:
            yield from box_limit_findings(split.look, "max_number_of_boxes")
            field, user = ("train_config", config.train_config) if split.trains else ("eval_config", config.eval_config)
            yield from shape_findings(split.look, config, int(user.batch_size), f"{field}.batch_size")
            yield from small_object_findings(split.name, split.look, split.pictures, config)
    yield from leak_findings([(split.name, split.look, split.pictures) for split in splits])


def _label_map_findings(labels: LabelMap, config: TrainEvalPipelineConfig | None) -> Iterator[Finding]:
    if not labels.labels:
        yield Finding("note", "no label map, so the classes were not held against one", "give --label-map FILE")
        return
    highest = max(labels.labels)
    misfit = classes_misfit(labels.labels, num_classes(config)) if config is not None else None
    if config is not None and misfit is not None:
        yield Finding("error", *misfit, feature=classes_path(config))
    elif gaps := [str(number) for number in range(1, highest) if number not in labels.labels]:
        what = f"no item has id {', '.join(gaps[:_NAMED])}{' and more' * (len(gaps) > _NAMED)}"
        yield Finding("warning", what, "number the classes from 1 on without gaps", feature="label map")


def _shard_findings(files: Sequence[Path]) -> Iterator[Finding]:
    """Shards of NAME-00000-of-00010 that are not there."""
    there: dict[tuple[str, int], set[int]] = {}
    for file in files:
        if (shard := _SHARD.search(file.name)) is not None:
            key = (
                file.name[: shard.start()] + "{:05d}-of-" + shard["count"] + file.name[shard.end() :],
                int(shard["count"]),
            )
            there.setdefault(key, set()).add(int(shard["number"]))
    for (pattern, count), numbers in there.items():
        missing = [pattern.format(number) for number in range(count) if number not in numbers]
        if missing:
            what = f"{len(missing)} of {count} shards are not there: {named(missing)}"
            yield Finding("error", what, "name them too, or write the records again", str(files[0].parent))


def _balance_findings(split: SplitLook, labels: LabelMap) -> Iterator[Finding]:
    """Classes of which there is too little to learn."""
    counts = {
        label: split.look.objects[number] for number, label in labels.labels.items() if split.look.objects[number]
    }
    if not split.trains or not counts:
        return
    most, commonest = max((count, label) for label, count in counts.items())
    rare = [label for label, count in counts.items() if count < _FEW_OBJECTS or count * _RARE <= most]
    if rare:
        said = ", ".join(f'"{label}" ({counts[label]})' for label in sorted(rare, key=counts.__getitem__)[:_NAMED])
        what = f'few objects of {said}{" and more" * (len(rare) > _NAMED)}; the commonest, "{commonest}", has {most}'
        yield Finding("warning", what, "more images of them, or leave the class out", feature=split.name)


def _empty_findings(split: SplitLook) -> Iterator[Finding]:
    look = split.look
    if look.boxes and look.empty * 2 > look.images:
        place = look.first["empty"]
        what = f"{look.empty} of {look.images} images have no box, this one the first"
        right = "leave some out: each takes as long as one with objects"
        yield Finding("warning", what, right, place.file, place.record, ENCODED)
