"""Records' findings of one input reader: what was seen of its files, against what the config makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trial_entry.finding import Finding, Severity
from trial_entry.pipeline_config.batch_shapes import batch_shape, changing_steps, resizer_path
from trial_entry.pipeline_config.inputs import readers, record_files
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.records.features import BBOX, CROWD, ENCODED, SIDES, SOURCE_ID, TEXT, WEIGHT
from trial_entry.records.label_map import LabelMap
from trial_entry.records.look import Place, RecordsLook

_MEASURE_OTHERS = "measure on images that were not trained on"
_FEW = 10  # images, of which a sample leaves no more: nobody means that
_NAMED = 3  # of several names, the first


@dataclass(frozen=True)
class ReaderLook:
    """One reader with what was seen of its records.

    Attributes:
        where: its field path, such as `train_input_reader`.
        reader: itself.
        labels: its label map; empty where it is not here.
        look: at all its files.
    """

    where: str
    reader: InputReader
    labels: LabelMap
    look: RecordsLook

    @property
    def trains(self) -> bool:
        """Whether it is the training's."""
        return self.where == "train_input_reader"

    def findings(self, config: TrainEvalPipelineConfig) -> Iterator[Finding]:
        """Everything that is wrong with it."""
        look = self.look
        yield from look.tally.findings()
        yield from flat_findings(look)
        yield from unknown_findings(look, self.labels)
        yield from object_findings(look, self.labels, self.where, trains=self.trains)
        yield from self._limits()
        field = "train_config.batch_size" if self.trains else "eval_config.batch_size"
        batch = int(config.train_config.batch_size if self.trains else config.eval_config.batch_size)
        yield from shape_findings(look, config, batch, field)
        if self.trains:
            yield from changing_findings(config)
        if not self.trains:
            yield from self._batches(int(config.eval_config.batch_size))
            yield from same_source_findings(look)

    def _limits(self) -> Iterator[Finding]:
        """Boxes beyond the most that are read, images that are sampled away."""
        look, reader = self.look, self.reader
        yield from box_limit_findings(look, f"{self.where}.max_number_of_boxes")
        sample = max(1, int(reader.sample_1_of_n_examples))
        left = -(-look.images // sample)
        if look.images and sample > 1 and left < _FEW:
            what = f"leaves {left} of {look.images} images"
            field = f"{self.where}.sample_1_of_n_examples: {sample}"
            yield Finding("warning", what, "1 takes all", feature=field)
        elif look.images == 1:
            yield Finding("warning", "has one image", "more of them", feature=self.where)

    def _batches(self, batch: int) -> Iterator[Finding]:
        """Images of the evaluation that a last, incomplete batch takes along."""
        images = -(-self.look.images // max(1, int(self.reader.sample_1_of_n_examples)))
        lost = images % batch if batch > 1 and self.reader.drop_remainder else 0
        if not lost:
            return
        severity: Severity = "error" if lost == images else "warning"
        what = f"leaves out a last batch that is not whole: {lost} of {images} images (eval_config.batch_size: {batch})"
        right = f"set {self.where}.drop_remainder: false (true where it is not set), or eval_config.batch_size: 1"
        yield Finding(severity, what, right, feature=f"{self.where}.drop_remainder")


def shape_findings(look: RecordsLook, config: TrainEvalPipelineConfig, batch: int, field: str) -> Iterator[Finding]:
    """Images that are resized to different shapes, which no batch can hold.

    Args:
        batch: how many images one takes.
        field: where that is said.
    """
    if batch == 1:
        return
    shapes: dict[tuple[int, int], Place] = {}
    for (width, height), place in look.sizes.items():
        shapes.setdefault(batch_shape(config, width, height), place)
    if len(shapes) <= 1:
        return
    (one, first), (other, second) = list(shapes.items())[:2]
    what = (
        f"makes images of different shapes, which cannot be in one batch ({field}: {batch}): "
        f"{one[0]} x {one[1]} of {first.file}: record {first.record}, "
        f"{other[0]} x {other[1]} of {second.file}: record {second.record}"
    )
    right = "set pad_to_max_dimension: true, which keep_aspect_ratio_resizer has, or a batch of 1"
    yield Finding("error", what, right, feature=resizer_path(config))


def changing_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Augmentations after which a resizer that keeps proportions makes another shape of every image."""
    batch = int(config.train_config.batch_size)
    fixed = len({batch_shape(config, *size) for size in ((640, 480), (480, 480), (480, 640))}) == 1
    if batch > 1 and not fixed:
        for step in changing_steps(config):
            what = f"changes each image's proportions, which {resizer_path(config)} keeps: they cannot be in one batch "
            what += f"(train_config.batch_size: {batch})"
            yield Finding("error", what, "set pad_to_max_dimension: true, or a batch of 1", feature=step)


def object_findings(look: RecordsLook, labels: LabelMap, where: str, *, trains: bool) -> Iterator[Finding]:
    """Nothing to learn or to measure, of all classes or of some.

    Args:
        where: what the records are called.
        trains: whether they are trained on; else they are measured on.
    """
    if not look.boxes and look.images and not look.unread:
        what = f"no record has a box ({SIDES[0]}); nothing to learn or measure"
        right = f"the records have {look.misspelt[0]}, which nothing reads" if look.misspelt else ""
        yield Finding("error", what, right, feature=where)
    elif look.learnable and not trains and not look.measurable:
        what = f"every box is a crowd ({CROWD}), of which nothing is measured"
        yield Finding("error", what, "0 for single objects", feature=where)
    elif look.learnable:
        if trains and not look.weighted:
            what = f"{WEIGHT} is 0 for every box, so nothing is learned"
            yield Finding("error", what, "leave it out, or weigh some", feature=where)
        count = look.objects.__getitem__ if trains else look.measured
        absent = [label for number, label in labels.labels.items() if not count(number)]
        if absent:
            lacks = "nothing can be learned of it" if trains else "mAP is the mean of the others"
            what = f"no object of {named(absent)} ({len(absent)} of {len(labels.labels)} classes): {lacks}"
            yield Finding("warning", what, feature=where)


def box_limit_findings(look: RecordsLook, field: str) -> Iterator[Finding]:
    """Boxes beyond the most of an image that are read."""
    if look.above:
        place = look.first["above"]
        what = f"{look.lost} boxes of {look.above} images are beyond it and dropped ({place.file}: record "
        what += f"{place.record} is the first)"
        right = "let it be as many as an image has at most"
        yield Finding("warning", what, right, feature=f"{field}: {look.expected.max_boxes}")


def flat_findings(look: RecordsLook) -> Iterator[Finding]:
    """Boxes without an area: an error where there are no others."""
    if look.flat:
        place = look.first["flat"]
        severity: Severity = "error" if look.flat == look.boxes else "warning"
        what = f"{look.flat} of {look.boxes} boxes have no area, this record's the first"
        yield Finding(severity, what, "leave them out", place.file, place.record, BBOX)


def unknown_findings(look: RecordsLook, labels: LabelMap) -> Iterator[Finding]:
    """Texts that the label map does not have: an error where no other box is left."""
    if not look.unknown:
        return
    place = look.first["unknown"]
    severity: Severity = "warning" if look.learnable else "error"
    said = [
        f'"{text}" ({count} of {look.boxes} boxes){_likeness(text, labels)}'
        for text, count in look.unknown.most_common(_NAMED)
    ]
    more = f" and {len(look.unknown) - _NAMED} more" if len(look.unknown) > _NAMED else ""
    what = f"not in the label map, so the boxes are dropped: {', '.join(said)}{more}"
    yield Finding(severity, what, f"it has {named(list(labels.labels.values()))}", place.file, place.record, TEXT)


def same_source_findings(look: RecordsLook) -> Iterator[Finding]:
    """Images that share a source_id, of which the evaluation measures the first."""
    keys = np.asarray(look.source_keys)
    at = np.flatnonzero(keys)
    _, first = np.unique(keys[at], return_index=True)
    twice = np.delete(at, first)
    if len(twice):
        place = look.place(int(twice.min()))
        what = f"is an earlier image's too; {len(twice)} of {look.images} images are left out of the evaluation so"
        yield Finding("warning", what, "give each image its own", place.file, place.record, SOURCE_ID)


def same_file_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Record files that several readers name; the data need not be here."""
    readers_of: dict[str, list[str]] = {}
    for where, reader in readers(config):
        for file in dict.fromkeys(record_files(reader)):
            readers_of.setdefault(file, []).append(where)
    for file, names in readers_of.items():
        if len(names) > 1:
            what = f"is the same file in {' and '.join(names)}, so what is learned by heart measures best"
            yield Finding("warning", what, _MEASURE_OTHERS, file)


def shared_findings(training: str, trained: RecordsLook, other: str, measured: RecordsLook) -> Iterator[Finding]:
    """Images that are trained on and measured on, to the byte.

    Args:
        training, other: what the records are called.
    """
    ours, theirs = np.asarray(trained.image_keys), np.asarray(measured.image_keys)
    shared = np.flatnonzero(np.isin(theirs, ours) & (theirs != 0))
    if not len(shared):
        return
    place = measured.place(int(shared[0]))
    twin = trained.place(int(np.flatnonzero(ours == theirs[shared[0]])[0]))
    what = (
        f"{len(shared)} of {len(theirs)} images of {other} are in {training} too, "
        f"this one as {twin.file}: record {twin.record}"
    )
    yield Finding("warning", what, _MEASURE_OTHERS, place.file, place.record, ENCODED)


def label_map_findings(training: ReaderLook, other: ReaderLook) -> Iterator[Finding]:
    """Label maps that give the same names other numbers."""
    ours, theirs = training.labels, other.labels
    for text, number in theirs.texts.items():
        if text and ours.texts.get(text, number) != number:
            what = f'{other.reader.label_map_path}: "{text}" is class {number}, and class {ours.texts[text]} in '
            what += f"{training.where}'s {training.reader.label_map_path}"
            yield Finding("error", what, "use one label map for both", feature=f"{other.where}.label_map_path")
            return
    for number, label in theirs.labels.items():
        if ours.labels.get(number, label) != label:
            what = f'{other.reader.label_map_path}: class {number} is "{label}", and "{ours.labels[number]}" in '
            what += f"{training.where}'s {training.reader.label_map_path}"
            yield Finding("warning", what, "use one label map for both", feature=f"{other.where}.label_map_path")
            return


def named(names: list[str]) -> str:
    """The first few, in quotes."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f'"{name}"' for name in names[:_NAMED]) + more


def _likeness(text: str, labels: LabelMap) -> str:
    """What in the label map it differs from by capitals or blanks alone."""
    for known in labels.texts:
        if known and text in (f"b'{known}'", f'b"{known}"'):
            return f', which is "{known}" as Python shows bytes'
        if known and known != text and _seen(known) == _seen(text):
            return f', which differs from "{known}" by characters that cannot be seen'
        if known and known != text and known.split() == text.split():
            return f', which differs from "{known}" by blanks alone'
        if known and known != text and known.casefold() == text.casefold():
            return f', which differs from "{known}" by capitals alone'
        if known and known != text and known.casefold().split() == text.casefold().split():
            return f', which differs from "{known}" by capitals and blanks alone'
    return ""


def _seen(text: str) -> str:
    """Of a text what can be seen, and its blanks."""
    return "".join(each for each in text if each.isprintable() or each.isspace())
