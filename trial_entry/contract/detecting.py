"""The contract's detections: what `detect` is told to look at and what it found, a JSON object a line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from trial_entry.contract.json_records import from_json, to_json
from trial_entry.errors import ConfigError, ModelDirError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
_SIDES = 4


@dataclass(frozen=True)
class WantedImage:
    """What to look at.

    Attributes:
        file: its path.
        window: left, top, right, lower in pixels of the image as seen; None for all of it.
    """

    file: str
    window: tuple[int, ...] | None = None


@dataclass(frozen=True)
class DetectedImage:
    """What was found there.

    Attributes:
        file, window: as they were asked for.
        width, height: of the whole image as seen, in pixels; 0 where it cannot be read.
        boxes: left, top, width, height in pixels of the whole image.
        classes: numbers of the label map.
        scores: falling.
        error: why it cannot be read; None where it can.
    """

    file: str
    window: tuple[int, ...] | None = None
    width: int = 0
    height: int = 0
    boxes: tuple[tuple[float, ...], ...] = ()
    classes: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    error: str | None = None


def read_wanted(file: Path) -> list[WantedImage]:
    """Raises ConfigError where `file` cannot be read, or a line is no WantedImage."""
    wanted = list(_read(WantedImage, file))
    for number, each in enumerate(wanted, start=1):
        if each.window is not None and len(each.window) != _SIDES:
            raise ConfigError(f"{file}:{number}: window: write [left, top, right, lower]")
    return wanted


def read_detected(file: Path) -> Iterator[DetectedImage]:
    """Raises ConfigError where `file` cannot be read, or a line is no DetectedImage."""
    return _read(DetectedImage, file)


def write_lines(file: Path, records: Iterable[DataclassInstance]) -> None:
    """One line a record, as they come.

    Raises:
        OSError: it cannot be written.
    """
    with file.open("w", encoding="utf-8") as opened:
        for each in records:
            opened.write(json.dumps(to_json(each)) + "\n")


def _read(kind: type[R], file: Path) -> Iterator[R]:
    try:
        with file.open(encoding="utf-8") as opened:
            for number, line in enumerate(opened, start=1):
                try:
                    yield from_json(kind, json.loads(line), f"{file}:{number}")
                except (ValueError, ModelDirError):
                    shape = '{"file": "a.jpg", "window": [left, top, right, lower]}'
                    raise ConfigError(f"{file}:{number}: not such an object a line as {shape}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None
