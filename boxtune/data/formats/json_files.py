"""Formats in JSON: read as a stream, whatever its size; what is not JSON is named by its line."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from pathlib import Path
from typing import BinaryIO

import ijson

from boxtune.errors import AnnotationsError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CHUNK, _DEEPEST = 16 << 10, 1000  # bytes that are read at a time; lists within lists
_PRECISE = 256 << 20  # bytes: up to here a broken file is read again to find the line


def items(path: Path, shown: str, prefix: str) -> Iterator[object]:
    """The values under a prefix (`images.item`), one by one.

    Raises:
        AnnotationsError: unreadable, or no JSON.
    """
    with open_json(path, shown) as file:
        try:
            yield from ijson.items(_Shallow(file, shown), prefix, buf_size=_CHUNK, use_float=True)
        except (ijson.JSONError, UnicodeDecodeError, OverflowError) as error:
            raise _broken(path, shown, error) from None


def top(path: Path, shown: str, until: Container[str] = ()) -> tuple[str, list[str]]:
    """What a file is at its top: `map` with its keys, `array` with the keys of its first element, or another event.

    Args:
        until: after one of these keys nobody looks further, since files are large.

    Raises:
        AnnotationsError: unreadable, empty, or no JSON.
    """
    keys: list[str] = []
    with open_json(path, shown) as file:
        try:
            events = ijson.basic_parse(_Shallow(file, shown), buf_size=_CHUNK, use_float=True)
            first = next(events)[0]
            kind, wanted = first.removeprefix("start_"), 1 if first == "start_map" else 2
            depth = 1
            for event, value in events:
                depth += event.startswith("start_") - event.startswith("end_")
                if event == "map_key" and depth == wanted:
                    keys.append(value)
                if depth == 0 or (kind == "array" and depth == 1) or (keys and keys[-1] in until):
                    break
        except StopIteration:
            raise AnnotationsError(f"{shown}: empty; it holds no JSON") from None
        except (ijson.JSONError, UnicodeDecodeError, OverflowError) as error:
            raise _broken(path, shown, error) from None
    return kind, keys


class _Shallow:
    """A file that is refused where it is nested far deeper than annotations are: parsers take ages to read such."""

    def __init__(self, file: BinaryIO, shown: str) -> None:
        self._file = file
        self._shown = shown
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            AnnotationsError: nested too deeply.
        """
        data = self._file.read(size)
        self._depth += data.count(b"[") + data.count(b"{") - data.count(b"]") - data.count(b"}")
        if self._depth > _DEEPEST:
            raise AnnotationsError(f"{self._shown}: nested more than {_DEEPEST} deep, which no annotations are")
        return data


def open_json(path: Path, shown: str) -> BinaryIO:
    """The file behind its byte order mark.

    Raises:
        AnnotationsError: unreadable.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise AnnotationsError(f"{shown}: cannot be read: {error.strerror}") from None
    if file.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
        file.seek(0)
    return file


def _broken(path: Path, shown: str, error: Exception) -> AnnotationsError:
    """The same as an error with its line, where the file is not too large to look for it."""
    reason = " ".join(str(error).split())[:120]
    if path.stat().st_size <= _PRECISE:
        try:
            json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_no_constant)
        except json.JSONDecodeError as found:
            return AnnotationsError(f"{shown}:{found.lineno}: not JSON: {found.msg} (column {found.colno})")
        except UnicodeDecodeError as found:
            line = path.read_bytes()[: found.start].count(b"\n") + 1
            return AnnotationsError(f"{shown}:{line}: not UTF-8; save it as UTF-8")
        except RecursionError:
            return AnnotationsError(f"{shown}: nested too deeply to be annotations")
        except _Constant as found:
            line = _line_of(path, found.args[0])
            return AnnotationsError(f"{shown}:{line}: {found.args[0]} is no number in JSON; mend or drop what has it")
    return AnnotationsError(f"{shown}: not JSON: {reason}")


class _Constant(Exception):  # noqa: N818
    """NaN, Infinity or -Infinity stands in a file; Python writes them, JSON has none."""


def _no_constant(name: str) -> None:
    raise _Constant(name)


def _line_of(path: Path, word: str) -> int:
    return path.read_bytes().partition(word.encode())[0].count(b"\n") + 1
