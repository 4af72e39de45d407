"""CSV: a row a box, as the API's tutorials (`filename,width,height,class,xmin,…`), RetinaNet (`path,x1,y1,x2,y2,class`,
without a header) and Open Images (`ImageID,…,XMin,XMax,YMin,YMax`, in shares) write it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations
from boxtune.data.formats.joining import ObjectsByImage
from boxtune.data.formats.source import Source, class_name, number, positive_size, read_text, split_of
from boxtune.data.image_folder import ImageNotFound
from boxtune.errors import AnnotationsError

NAME = "CSV"
_COLUMNS: Mapping[
    str, tuple[str, ...]
] = {  # what a column is: how it may be called, in lower case, without _ and blanks
    "file": ("filename", "imagepath", "image", "file", "path", "imageid", "imagename", "img", "name"),
    "label": ("class", "label", "labelname", "category", "classname", "object"),
    "xmin": ("xmin", "x1", "left", "bboxxmin"),
    "ymin": ("ymin", "y1", "top", "bboxymin"),
    "xmax": ("xmax", "x2", "right", "bboxxmax"),
    "ymax": ("ymax", "y2", "bottom", "bboxymax"),
    "width": ("width", "imagewidth", "imgwidth"),
    "height": ("height", "imageheight", "imgheight"),
    "split": ("split", "set", "subset"),
    "truncated": ("truncated", "istruncated"),
    "difficult": ("difficult", "isdifficult"),
    "group_of": ("isgroupof", "groupof"),
}
_NO_HEADER = ("file", "xmin", "ymin", "xmax", "ymax", "label")
_ZERO = re.compile(r"0+(\.0*)?")
_SIDES = ("xmin", "ymin", "xmax", "ymax")
Row = Mapping[str, str]


def read(source: Source) -> Annotations:
    """Every image that a row names, with boxes in pixels, or in shares where no value is above 1."""
    return Annotations(NAME, [source.annotations], _Table(source).images(), [], written="corners")


class _Table:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._shown = source.shown(source.annotations)
        self._folder = source.folder(source.annotations.parent)
        self._text = read_text(source.annotations, self._shown)

    def images(self) -> Iterator[AnnotatedImage]:
        """Those of all rows, in the order in which they are met."""
        shares = self._in_shares()
        if shares:
            why = "whose coordinates are all between 0 and 1, taken as shares of width and height"
            self._source.findings.add("repaired", "file", why, self._shown)
        objects, named = ObjectsByImage(self._source.scratch), set[Path]()
        try:
            objects.add_all(self._objects())
            for line, row in self._rows():
                name = row["file"]
                if not objects.introduce(name, str(line)):
                    for image in self._image(line, row, objects.of(name), shares):
                        named.add(image.file)
                        yield image
        finally:
            objects.close()
        self._source.say_unnamed(self._folder, named)

    def _image(
        self, line: int, row: Row, objects: tuple[AnnotatedObject, ...], shares: bool
    ) -> Iterator[AnnotatedImage]:
        place = f"{self._shown}:{line}"
        try:
            file = self._folder.find(row["file"])
        except ImageNotFound as missing:
            self._source.findings.lose("image", "that cannot be found", f"{place}: {missing}")
            return
        size = positive_size(row.get("width"), row.get("height"))
        group, split = row.get("group", ""), split_of(row.get("split", ""))
        yield AnnotatedImage(
            self._source.name_of(file), file, f"{place} ({row['file']})", size, objects, shares, split, group
        )

    def _objects(self) -> Iterator[tuple[str, AnnotatedObject]]:
        for line, row in self._rows():
            written = [row[side] for side in _SIDES]
            if not any(written) and not row["label"]:
                continue  # an image without a box
            if all(_ZERO.fullmatch(side) for side in written):
                continue  # DeepForest's way to say the same
            place = f"{self._shown}:{line}"
            label = class_name(row["label"], place)
            xmin, ymin, xmax, ymax = (number(row[side], place, side) for side in _SIDES)
            yield (
                row["file"],
                AnnotatedObject(
                    label,
                    (xmin, ymin, xmax, ymax),
                    f"{place} ({row['file']})",
                    difficult=row.get("difficult", "") in ("1", "true", "True"),
                    truncated=row.get("truncated", "") in ("1", "true", "True"),
                    group_of=row.get("group_of", "") in ("1", "true", "True"),
                ),
            )

    def _in_shares(self) -> bool:
        some = False
        for line, row in self._rows():
            for side in _SIDES:
                if row[side]:
                    value = number(row[side], f"{self._shown}:{line}", side)
                    if not 0 <= value <= 1:
                        return False
                    some = some or not value.is_integer()
        return some

    def _rows(self) -> Iterator[tuple[int, Row]]:
        """(line, value by what it is) of every row that is not blank."""
        reader = csv.reader(io.StringIO(self._text, newline=""), _dialect(self._text), strict=True)
        columns: Mapping[str, int] | None = None
        try:
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if columns is None:
                    columns, is_header = self._columns(cells, reader.line_num)
                    if is_header:
                        continue
                if max(columns.values()) >= len(cells):
                    needed = max(columns.values()) + 1
                    raise AnnotationsError(f"{self._shown}:{reader.line_num}: {len(cells)} values; {needed} are needed")
                row = {what: cells[place].strip() for what, place in columns.items()}
                if not row["file"]:
                    raise AnnotationsError(f"{self._shown}:{reader.line_num}: names no file")
                yield reader.line_num, row
        except csv.Error as error:
            raise AnnotationsError(f"{self._shown}:{reader.line_num}: not CSV: {error}") from None

    def _columns(self, cells: Sequence[str], line: int) -> tuple[Mapping[str, int], bool]:
        """What stands where, and whether this row says so rather than being the first box."""
        known = {name: what for what, names in _COLUMNS.items() for name in names}
        heads = [cell.strip().lower().replace("_", "").replace(" ", "") for cell in cells]
        found: dict[str, int] = {}
        for place, head in enumerate(heads):
            if head in known:
                found.setdefault(known[head], place)
            if self._source.group_column and cells[place].strip() == self._source.group_column:
                found["group"] = place
        missing = [what for what in (*_SIDES, "file", "label") if what not in found]
        if self._source.group_column and "group" not in found:
            raise AnnotationsError(
                f"{self._shown}:{line}: no column {self._source.group_column}; it has {', '.join(cells)}"
            )
        if not missing:
            return found, True
        if len(cells) == len(_NO_HEADER) and not found:
            return {what: place for place, what in enumerate(_NO_HEADER)}, False
        raise AnnotationsError(
            f"{self._shown}:{line}: no column for {', '.join(missing)}; write filename,class,xmin,ymin,xmax,ymax in "
            "the first line, or no header and path,x1,y1,x2,y2,class"
        )


def _dialect(text: str) -> type[csv.Dialect]:
    """Commas, semicolons or tabs: whichever the first line has most of."""
    first = text.lstrip().partition("\n")[0]

    class Dialect(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Dialect


def looks_alike(path: Path) -> bool:
    """Whether a text file's first line is one of a table of boxes."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
    return max(first.count(each) for each in ",;\t") >= len(_NO_HEADER) - 1
