"""Data's import: annotations and images in, a folder of records out, whole or not at all.

In four passes, each of which reads a stream: annotations into an index on disk; every image looked at; splits and
shards decided; shards written. What they found stays beside the folder until it is whole, so a second call goes on.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from boxtune.data.annotations import AnnotatedImage, Annotations
from boxtune.data.findings import Findings
from boxtune.data.formats.catalogue import read_annotations
from boxtune.data.formats.source import Source
from boxtune.data.index import DataIndex
from boxtune.data.label_maps import label_map_text, numbered, read_numbers
from boxtune.data.looking import Looking, look_at_all
from boxtune.data.options import ImportOptions
from boxtune.data.planning import Plan, plan
from boxtune.data.published import FORMAT, IMPORT, LABEL_MAP, SPLITS, is_whole, publish, read_import, work_folder
from boxtune.data.records import RecordOptions
from boxtune.data.settling import Tally, misreading
from boxtune.data.shards import write_shards
from boxtune.data.writing import Imported, about_import
from boxtune.errors import AnnotationsError, Interrupted

_FEW_OBJECTS = 10  # that are no boxes are no reason to refuse a small data set
_MOST_NAMED = 20  # places in the line that refuses


class Listener(Protocol):
    """Is told how far an import is."""

    def phase(self, what: str, total: int) -> None:
        """Something begins that has `total` steps; 0 where nobody knows."""

    def tick(self, steps: int) -> None:
        """So many more are done."""


def import_data(options: ImportOptions, listener: Listener) -> Imported:
    """Make the folder of records, or find that it is there already.

    Raises:
        AnnotationsError: the data cannot be used as they stand; nothing is left of a folder that was not there.
        Interrupted: the disk is full; the same call goes on.
    """
    if options.images is not None and not options.images.is_dir():
        raise AnnotationsError(f"{options.images}: no such folder of images")
    try:
        with work_folder(options.out) as work, closing(DataIndex(work / "index.sqlite")) as index:
            return _Import(options, listener, work, index).run()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(options.out) from None
        raise AnnotationsError(f"{error.filename or options.out}: {error.strerror}") from None
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise _full(options.out) from None
        raise AnnotationsError(f"{options.out}: its index cannot be written: {error}") from None


def _full(out: Path) -> Interrupted:
    return Interrupted(f"{out}: the disk is full; make room, and the same command goes on")


class _Import:
    def __init__(self, options: ImportOptions, listener: Listener, work: Path, index: DataIndex) -> None:
        self._options = options
        self._listener = listener
        self._work = work
        self._index = index
        self._findings = Findings()

    def run(self) -> Imported:
        """All passes."""
        options = self._options
        annotations = self._read()
        self._listener.phase("looking at images", len(self._index))
        look_at_all(self._index, Looking(annotations.written, options.tiling is not None), options.processes,
                    self._listener.tick)  # fmt: skip
        used, total, labels = self._gather()
        self._judge(annotations, used, total)
        given = read_numbers(options.label_map) if options.label_map else {}
        classes = self._classes(annotations, labels)
        numbers = numbered(classes, given, str(options.label_map))
        decided = plan(self._index, options, self._findings)
        records = RecordOptions(numbers, options.tiling, options.max_side)
        inputs = self._inputs(annotations, decided, records)
        known = read_import(options.out)
        if known.get("inputs") == inputs and is_whole(options.out, known):
            shutil.rmtree(self._work)
            return Imported(known, self._findings, unchanged=True)
        return self._write(annotations, decided, records, inputs)

    def _read(self) -> Annotations:
        options = self._options
        self._listener.phase("reading annotations", 0)
        source = Source(options.annotations, options.images, self._work, self._findings, options.grouping.column)
        annotations = read_annotations(source, options.format)

        def counted() -> Iterator[AnnotatedImage]:
            for image in annotations.images:
                self._listener.tick(1)
                yield image

        self._index.add(counted())
        if not len(self._index) and not self._findings.everything():
            raise AnnotationsError(f"{options.annotations}: no image")
        return annotations

    def _gather(self) -> tuple[int, Tally, Counter[str]]:
        """Count what was seen, and collect what was found."""
        used, total, labels = 0, Tally(), Counter[str]()
        for _, image, look in self._index.looked():
            self._findings.merge(look.findings)
            if look.bad:
                self._findings.add("skipped", "image", "that cannot be used", f"{image.name}: {look.bad}")
                continue
            used += 1
            total += look.tally
            labels.update(each.label for each in look.objects)
        return used, total, labels

    def _judge(self, annotations: Annotations, used: int, total: Tally) -> None:
        """Refuse what would teach something false, and more loss than was allowed."""
        shown = self._options.annotations.name
        refused = self._findings.of("refused")
        if refused:
            raise AnnotationsError("; ".join(each.sentence(_MOST_NAMED) for each in refused))
        wrong = misreading(total, annotations.written, shown)
        if wrong is not None:
            raise AnnotationsError(f"{wrong[0]}: {wrong[1]}")
        self._judge_loss(used, total)
        if not used:
            raise AnnotationsError(f"{shown}: no image is left")
        if not total.objects:
            raise AnnotationsError(f"{shown}: annotations: no object at all, nothing to learn from: an empty list?")

    def _judge_loss(self, used: int, total: Tally) -> None:
        skipped = self._findings.of("skipped")
        bad_images = [each for each in skipped if each.of != "class" and each.why in _BAD_IMAGES]
        bad_objects = [each for each in skipped if each.of == "object" and each.why not in _HARMLESS]
        for kinds, good, few in ((bad_images, used, 0), (bad_objects, total.objects, _FEW_OBJECTS)):
            count = sum(each.count for each in kinds)
            share = count / max(1, good + count)
            if count > few and share > self._options.skip_bad:
                said = "; ".join(each.sentence(_MOST_NAMED) for each in kinds)
                raise AnnotationsError(
                    f"{said}; that is {share:.0%}, and --skip-bad {self._options.skip_bad:.0%} allows less"
                )
        if total.objects and total.objects == sum(each.count for each in bad_objects):
            raise AnnotationsError(
                "; ".join(each.sentence(_MOST_NAMED) for each in bad_objects) + "; no object is left"
            )

    def _classes(self, annotations: Annotations, labels: Counter[str]) -> list[str]:
        """Declared ones in their order, or those that were met, in the alphabet's."""
        classes = annotations.classes or sorted(labels)
        shown = self._options.annotations.name
        by_case: dict[str, str] = {}
        for name in classes:
            alike = by_case.setdefault(name.casefold(), name)
            if alike != name:
                why = "spelt alike, which differ in case alone: two classes, or one?"
                self._findings.add("warned", "class", why, f"{shown}: {name} and {alike}")
            if not labels[name]:
                self._findings.add("warned", "class", "without an object", f"{shown}: {name}")
        return classes

    def _inputs(self, annotations: Annotations, decided: Plan, records: RecordOptions) -> str:
        """Equal for equal annotations, images and options: then the records are equal too."""
        digest = hashlib.sha256(f"{FORMAT} {records} {decided.digest}".encode())
        for file in annotations.files:
            digest.update(hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b"")
        return digest.hexdigest()

    def _write(self, annotations: Annotations, decided: Plan, records: RecordOptions, inputs: str) -> Imported:
        options = self._options
        made = self._work / "made"
        made.mkdir(exist_ok=True)
        wanted = {shard.name for shard in decided.shards} | {LABEL_MAP, SPLITS, IMPORT}
        for path in made.iterdir():
            if path.name not in wanted:
                path.unlink()
        self._listener.phase("writing records", len(decided.shards))
        counts = write_shards(
            self._work / "index.sqlite", made, decided.shards, records, options.processes, self._listener.tick
        )
        (made / LABEL_MAP).write_text(label_map_text(records.numbers), encoding="utf-8")
        decided.write_splits(made / SPLITS)
        about = about_import(made, options, annotations, records, decided, counts, self._findings) | {"inputs": inputs}
        (made / IMPORT).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        publish(self._work, made, options.out)
        return Imported(about, self._findings, unchanged=False)


_BAD_IMAGES = frozenset(("that cannot be found", "that cannot be used", "without an image"))
_HARMLESS = frozenset(("written twice: a duplicate of the same box and class",))
