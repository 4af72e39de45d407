"""Data's import: annotations and images in, a folder of records out, whole or not at all.

In four passes, each of which reads a stream: annotations into an index on disk; every image looked at; splits and
shards decided; shards written. What they found stays beside the folder until it is whole, so a second call goes on.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from boxtune.data.annotations import AnnotatedImage, Annotations
from boxtune.data.findings import Findings
from boxtune.data.formats.catalogue import read_annotations
from boxtune.data.formats.source import Source
from boxtune.data.importing.configuring import read_base, write_configs
from boxtune.data.importing.gathering import Gathered, gather
from boxtune.data.importing.index import DataIndex
from boxtune.data.importing.inputs import Inputs
from boxtune.data.importing.looking import Looking, look_at_all
from boxtune.data.importing.options import ImportOptions
from boxtune.data.importing.planning import Plan, plan
from boxtune.data.importing.records import RecordOptions
from boxtune.data.importing.settling import looks_like_corners, misreading
from boxtune.data.importing.shards import write_shards
from boxtune.data.importing.writing import Imported, about_import
from boxtune.data.label_maps import label_map_text, numbered, read_numbers
from boxtune.data.published import IMPORT, LABEL_MAP, SPLITS, is_whole, publish, read_import, work_folder, work_path
from boxtune.errors import AnnotationsError, Interrupted
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

_FEW_OBJECTS = 10  # that are no boxes are no reason to refuse a small data set
_SOME = 3  # places, where nothing at all is right
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
        Interrupted: by Ctrl-C, or the disk is full; the same call goes on.
    """
    if options.images is not None and not options.images.is_dir():
        raise AnnotationsError(f"{options.images}: no such folder of images")
    try:
        with work_folder(options.out) as work, closing(DataIndex(work / "index.sqlite")) as index:
            return _Import(options, listener, work, index).run()
    except KeyboardInterrupt:
        raise Interrupted(f"{options.out}: interrupted; the same command goes on") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(options.out) from None
        raise AnnotationsError(f"{error.filename or options.out}: {error.strerror}") from None
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise _full(options.out) from None
        work = work_path(options.out)
        raise AnnotationsError(
            f"{work}: its index cannot be used: {error}; remove the folder, and begin anew"
        ) from None


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
        began = time.time()
        base = read_base(self._options.config) if self._options.config else None
        annotations, inputs = self._read()
        known = read_import(self._options.out)
        if known.get("inputs") == inputs.digest and is_whole(self._options.out, known, inputs.newest):
            shutil.rmtree(self._work)
            return Imported(known, unchanged=True)
        gathered = self._look(annotations)
        decided = plan(self._index, gathered, self._options, self._findings)
        about = self._write(annotations, gathered, decided, base) | {"inputs": inputs.digest}
        made = self._work / "made"
        (made / IMPORT).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.utime(made / IMPORT, (began, began))  # what is newer was changed since
        kept = publish(self._work, made, self._options.out, known)
        return Imported(about, unchanged=False, kept=kept)

    def _read(self) -> tuple[Annotations, Inputs]:
        options = self._options
        self._listener.phase("reading annotations", 0)
        source = Source(options.annotations, options.images, self._work, self._findings, options.grouping.column)
        annotations = read_annotations(source, options.format)
        inputs = Inputs(options)

        def counted() -> Iterator[AnnotatedImage]:
            for image in annotations.images:
                inputs.add(image)
                self._listener.tick(1)
                yield image

        self._index.add(counted(), self._say_twice)
        if not len(self._index) and not self._findings.everything():
            raise AnnotationsError(f"{options.annotations}: no image")
        for file in (*annotations.files, options.label_map, options.config):
            if file is not None:
                inputs.add_file(file)
        return annotations, inputs

    def _say_twice(self, known: AnnotatedImage, again: AnnotatedImage) -> None:
        if known.file != again.file:
            raise AnnotationsError(
                f"{again.place}: {again.file} and {known.file} would have one name; import them apart"
            )
        if known.split != again.split:
            what = f"{again.name} in {again.split or 'none'}, also in {known.split or 'none'}, where it stays"
            self._findings.add("warned", "image", "listed in two splits", what)
        else:
            self._findings.add("repaired", "image", "listed twice, its objects put together", again.place)

    def _look(self, annotations: Annotations) -> Gathered:
        options = self._options
        self._listener.phase("looking at images", len(self._index))
        how = Looking(annotations.written, options.tiling is not None)
        look_at_all(self._index, how, options.processes, self._listener.tick)
        gathered = gather(self._index, options, self._findings)
        self._judge(annotations, gathered)
        return gathered

    def _judge(self, annotations: Annotations, gathered: Gathered) -> None:
        """Refuse what would teach something false, and more loss than was allowed."""
        shown = self._options.annotations.name
        refused = self._findings.of("refused")
        if refused:
            raise AnnotationsError("; ".join(each.sentence(_MOST_NAMED) for each in refused))
        wrong = misreading(gathered.tally, annotations.written, shown)
        if wrong is not None:
            raise AnnotationsError(f"{wrong[0]}: {wrong[1]}")
        self._judge_loss(gathered)
        losses = "".join(f"; {each.sentence(_SOME)}" for each in self._findings.losses("image", "file", "object"))
        if not gathered.images:
            raise AnnotationsError(f"{shown}: no image is left{losses}")
        if not gathered.counts.total():
            hint = losses or ", an empty list?"
            raise AnnotationsError(f"{shown}: annotations: no object at all, nothing to learn from{hint}")
        if looks_like_corners(gathered.tally, annotations.written):
            why = "whose boxes would all lie in their images as two corners too: look at them with boxtune data show"
            self._findings.add("warned", "file", why, shown)

    def _judge_loss(self, gathered: Gathered) -> None:
        allowed, used, kept = self._options.skip_bad, len(gathered.images), gathered.counts.total()
        for kinds, good, few in (
            (self._findings.losses("image", "file"), used, 0),
            (self._findings.losses("object"), kept, _FEW_OBJECTS),
        ):
            count = sum(each.count for each in kinds)
            share = count / max(1, good + count)
            if count > few and share > allowed:
                said = "; ".join(each.sentence(_MOST_NAMED if good else _SOME) for each in kinds)
                hint = (
                    "" if good or self._options.images is not None else "; are the images elsewhere? name --images DIR"
                )
                raise AnnotationsError(f"{said}; that is {share:.1%}, and --skip-bad {allowed:.0%} allows less{hint}")

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

    def _write(
        self,
        annotations: Annotations,
        gathered: Gathered,
        decided: Plan,
        base: TrainEvalPipelineConfig | None,
    ) -> dict[str, Any]:
        options = self._options
        given = read_numbers(options.label_map) if options.label_map else {}
        numbers = numbered(self._classes(annotations, gathered.counts), given, str(options.label_map))
        records = RecordOptions(numbers, options.tiling, options.max_side)
        made = self._work / "made"
        made.mkdir(exist_ok=True)
        wanted = {shard.name for shard in decided.shards}
        for path in made.iterdir():  # of an import that was cut off
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in wanted:
                path.unlink()
        self._listener.phase("writing records", len(decided.shards))
        counts = write_shards(
            self._work / "index.sqlite", made, decided.shards, records, options.processes, self._listener.tick
        )
        (made / LABEL_MAP).write_text(label_map_text(numbers), encoding="utf-8")
        decided.write_splits(made / SPLITS)
        if base is not None:
            self._findings.merge(
                write_configs(made, options.out.resolve().name, base, decided.shards, numbers, gathered.most)
            )
        return about_import(made, options, annotations, numbers, decided, counts) | {
            "findings": [asdict(each) for each in self._findings.everything()]
        }
