"""YOLO's layouts: which images, in which splits, of which classes, by a data.yaml, an obj.data or a folder alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from boxtune.data.formats.source import SPLIT_NAMES, Fields, Source, class_name, read_text, split_of, text_lines
from boxtune.data.image_folder import IMAGE_SUFFIXES, ImageFolder
from boxtune.errors import AnnotationsError

CLASS_LISTS = ("classes.txt", "obj.names", "data/obj.names", "labels.txt", "labels/classes.txt", "_darknet.labels")


@dataclass(frozen=True)
class ImageSet:
    """The images of one split; of no split where the data have none."""

    split: str
    files: list[Path]


@dataclass(frozen=True)
class Layout:
    """What a data set is made of.

    Attributes:
        file: what described it, for messages.
        named_in: what has the classes' names.
        root: the folder that images' names are relative to.
        names: classes, in the order of their numbers from 0.
        keypoints: whether a line goes on with keypoints after its box.
        files: what was read for it.
        labels: the folder of label files, where it was named apart from the images'.
    """

    file: Path
    named_in: Path
    root: Path
    names: list[str]
    sets: list[ImageSet]
    keypoints: bool
    files: list[Path]
    labels: Path | None = None


def layout_of(source: Source) -> Layout:
    """The layout of what was named.

    Raises:
        AnnotationsError: no classes, no images, or numbers that do not agree.
    """
    given = source.annotations
    if given.is_dir():
        found = next((given / name for name in ("data.yaml", "dataset.yaml", "obj.data", "data/obj.data")
                      if (given / name).is_file()), None)  # fmt: skip
        if found is None and len(files := sorted([*given.glob("*.yaml"), *given.glob("*.yml")])) == 1:
            found = files[0]
        if found is None:
            return _folder_layout(source, given)
        given = found
    if source.images is not None:
        source.findings.add(
            "warned", "file", "that names its images itself, so --images was not used", source.shown(given)
        )
    return _darknet_layout(source, given) if given.suffix == ".data" else _yaml_layout(source, given)


def _yaml_layout(source: Source, file: Path) -> Layout:
    shown = source.shown(file)
    raw = _yaml(file, shown)
    names = _names(raw, shown, file)
    root = _root(str(raw.get("path") or ""), file)
    sets = []
    for key, value in raw.items():
        split = SPLIT_NAMES.get(str(key).lower(), "") if value else ""
        if split:
            entries = value if isinstance(value, list) else [value]
            files = [image for entry in entries for image in _entry(source, str(entry), root, f"{shown}: {key}", split)]
            if files:
                sets.append(ImageSet(split, files))
    sets = _apart(source, sets, shown)
    if not sets:
        raise AnnotationsError(f"{shown}: neither train nor val names images")
    keypoints = bool(raw.get("kpt_shape"))
    return Layout(file, file, file.parent, names, sets, keypoints, [file])


def _apart(source: Source, sets: list[ImageSet], shown: str) -> list[ImageSet]:
    """The splits; or none, where the same images are to train and to validate: that would measure nothing."""
    if len(sets) > 1 and any(set(each.files) <= set(sets[0].files) for each in sets[1:]):
        why = "whose val or test names images of train, taken as having no split"
        source.findings.add("repaired", "file", why, shown)
        return [ImageSet("", list(dict.fromkeys(image for each in sets for image in each.files)))]
    return sets


def _yaml(file: Path, shown: str) -> Fields:
    try:
        # Everything is a text: a class called `no` is no false, and 1e3 no number.
        raw = yaml.load(read_text(file, shown), Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise AnnotationsError(f"{shown}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise AnnotationsError(f"{shown}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise AnnotationsError(f"{shown}: no mapping; a data.yaml has train, val and names")
    return raw


def _names(raw: Fields, shown: str, file: Path) -> list[str]:
    """Classes in the order of their numbers."""
    given = raw.get("names")
    if isinstance(given, str) and given and (file.parent / given).is_file():
        given = [line for _, line in text_lines(file.parent / given, given)]
    if isinstance(given, dict):
        numbers = [str(key).strip() for key in given]
        if sorted(numbers, key=lambda each: (len(each), each)) != [str(place) for place in range(len(given))]:
            raise AnnotationsError(
                f"{shown}: names has the numbers {', '.join(numbers[:10])}; count from 0 without gaps"
            )
        given = [given[key] for key in sorted(given, key=int)]
    if not isinstance(given, list) or not given:
        raise AnnotationsError(f"{shown}: no names; write names: [car, bus]")
    names = [class_name(name, f"{shown}: names") for name in given]
    count = str(raw.get("nc") or len(names)).strip()
    if count != str(len(names)):
        raise AnnotationsError(f"{shown}: nc is {count}, but names has {len(names)}; make them equal")
    _refuse_twice(names, shown)
    return names


def _refuse_twice(names: list[str], shown: str) -> None:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise AnnotationsError(f'{shown}: names has "{twice}" twice, once for each of two numbers; rename one')


def _root(path: str, file: Path) -> Path:
    """`path` as the file says it, if that is there; else the file's own folder."""
    for candidate in (file.parent / _slashes(path), Path(_slashes(path) or ".").expanduser()):
        if path and candidate.is_dir():
            return candidate
    return file.parent


def _entry(source: Source, entry: str, root: Path, place: str, split: str) -> list[Path]:
    """The images that one entry of a split names: a folder, a list in a text file, or one image.

    A path that is not there is tried without its leading `../`, as Roboflow writes them, and by its ends.
    """
    path = _existing(_slashes(entry), root)
    if path is None and split == "test":
        source.findings.add(
            "warned", "file", "named by a split but not there, so without that split", f"{place}: {entry}"
        )
        return []
    if path is None:
        raise AnnotationsError(f"{place}: {entry}: no such folder or list below {root}")
    if path.is_dir():
        folder = ImageFolder(path)
        return [path / name for name in folder.files]
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return [path]
    return [_listed(source, line, path, root, number) for number, line in text_lines(path, source.shown(path))]


def _existing(entry: str, root: Path) -> Path | None:
    parts = [part for part in Path(entry).parts if part not in ("..", "/", ".")]
    candidates = [root / entry, *(root.joinpath(*parts[place:]) for place in range(len(parts)))]
    return next((path for path in candidates if path.exists() and path != root), root if not parts else None)


def _listed(source: Source, line: str, path: Path, root: Path, number: int) -> Path:
    found = _existing(_slashes(line), path.parent) or _existing(_slashes(line), root)
    if found is None or not found.is_file():
        # Named all the same: a missing image is counted where images are looked at.
        return path.parent / _slashes(line)
    return found


def _darknet_layout(source: Source, file: Path) -> Layout:
    """`classes`, `train`, `valid` and `names`, a line each; paths from the folder that darknet was started in."""
    shown = source.shown(file)
    raw = {}
    for line, text in text_lines(file, shown):
        if text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals:
            raise AnnotationsError(f"{shown}:{line}: {text}: write KEY = VALUE")
        raw[key.strip()] = value.strip()
    named_in = _existing(raw.get("names", ""), file.parent) if raw.get("names") else None
    if named_in is None or not named_in.is_file():
        raise AnnotationsError(f"{shown}: names is {raw.get('names')!r}, which is no file; it lists the classes")
    names = [class_name(line, source.shown(named_in)) for _, line in text_lines(named_in, source.shown(named_in))]
    if (count := raw.get("classes", str(len(names)))) != str(len(names)):
        raise AnnotationsError(f"{shown}: classes is {count}, but {source.shown(named_in)} names {len(names)}")
    _refuse_twice(names, source.shown(named_in))
    sets = []
    for key in ("train", "valid", "test"):
        split = split_of(key)
        if raw.get(key) and (files := _entry(source, raw[key], file.parent, f"{shown}: {key}", split)):
            sets.append(ImageSet(split, files))
    sets = _apart(source, sets, shown)
    if not sets:
        raise AnnotationsError(f"{shown}: neither train nor valid names images")
    return Layout(file, named_in, file.parent, names, sets, False, [file, named_in])


def _folder_layout(source: Source, root: Path) -> Layout:
    """A folder with a list of classes and neither data.yaml nor obj.data, as LabelImg and Label Studio write it."""
    named_in = next((root / name for name in CLASS_LISTS if (root / name).is_file()), None)
    if named_in is None:
        raise AnnotationsError(f"{root}: no data.yaml, obj.data or classes.txt names the classes of YOLO's labels")
    shown = source.shown(named_in)
    names = [class_name(line, shown) for _, line in text_lines(named_in, shown)]
    _refuse_twice(names, shown)
    images = source.images or root
    sets: dict[str, list[Path]] = {}
    for name in ImageFolder(images).files:
        split = next((found for part in Path(name).parts[:-1] if (found := SPLIT_NAMES.get(part.lower()))), "")
        sets.setdefault(split, []).append(images / name)
    if not sets:
        raise AnnotationsError(f"{images}: no image")
    if len(sets) == 1:
        sets = {"": next(iter(sets.values()))}
    labels = root if source.images is not None else None
    listed = [ImageSet(*each) for each in sets.items()]
    return Layout(root, named_in, images, names, listed, False, [named_in], labels)


def _slashes(path: str) -> str:
    return path.strip().replace("\\", "/")
