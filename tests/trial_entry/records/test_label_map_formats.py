"""Label maps as people have them: other encodings, formats, quotes; what each is said to be, and what is meant."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from trial_entry.errors import RequestError
from trial_entry.records.label_map import read_label_map, read_label_map_message

CAR_BUS = 'item { id: 1 name: "car" } item { id: 2 name: "bus" }'
MEANT = {
    '["car", "bus"]': "JSON",
    '[{"id": 0, "name": "car"}, {"id": 1, "name": "bus"}]': "JSON",
    '{"car": 1, "bus": 2}': "JSON",
    '{"1": "car", "2": "bus"}': "JSON",
    '{"images": [], "categories": [{"id": 2, "name": "bus"}, {"id": 1, "name": "car"}]}': "JSON",
    "train: images\nnames:\n  0: car\n  1: bus\n": "YAML",
    "names: [car, bus]\nnc: 2\n": "names",
    "- car\n- bus\n": "names",
    "car\nbus\n": "names",
    "1,car\n2,bus\n": "names",
    "car 0\nbus 1\n": "names",
    "id,name\n1,car\n2,bus\n": "names",
    "class_name;class_id\ncar;1\nbus;2\n": "names",
    "???\ncar\nbus\n": "names",
    "background\ncar\nbus\n": "names",
}
WRONG = {
    "": "no item; a label map is protobuf text",
    "item { id: 1 name: car }": ":1:20: Expected string but found: 'car'; a text needs quotes: name: \"car\"",
    "item {\n  id: 1\n  name: traffic light\n}": 'a text needs quotes: name: "traffic light"',
    "item { id: 1 name: 'driver's cab' }": 'a quote within a text in the same quotes; write name: "driver\'s cab"',
    "item { id: 1 name: “car” }": 'straight quotes: item { id: 1 name: "car" }',
    "\u200bitem { id: 1 name: 'car' }": "ZERO WIDTH SPACE",
    "item { id: 1, name = 'car' }": ":1:20: a colon stands between a field and its value: name: 'car' }",
    "// classes\nitem { id: 1 name: 'car' }": ":1:1: is no comment here; a comment begins with #",
    "item { id: '1' name: 'car' }": "a number has no quotes: id: 1",
    "item { id: 1 name: 'car' ": "a } is missing",
    "item { id: 1 name: 'car' } }": "a } is too many",
    "<<<<<<< HEAD\nitem { id: 1 name: 'car' }": "a mark of a merge",
    "item { name: 'car' }": '"car" has no id',
    "item { id: -1 name: 'car\\n\\033[2J' }": r'"car\n\x1b[2J" has id -1',
    "item { id: 0 name: 'car' }": "ids start at 1 (0 is the background)",
    "items { id: 1 name: 'car' }": 'has no field "items"; the nearest is "item"',
    "<annotation></annotation>": "is XML",
    "<!DOCTYPE html>": "is an HTML page",
    "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n": "is a Git LFS pointer, not the file",
}
BYTES = {
    gzip.compress(b"item { id: 1 name: 'car' }", mtime=0): "is compressed by gzip; unpack it",
    "item { id: 1 name: 'métro' }".encode(
        "latin-1"
    ): ':1:22: is not UTF-8: byte 0xe9 ("é" in Latin-1); save it as UTF-8',
    "item { id: 1 name: 'car' }".encode("utf-16"): "is UTF-16",
    "item { id: 1 name: 'car' }".encode("utf-16-be"): "is UTF-16",
    b"\x0a\x07\x0a\x03car\x10\x01": "is no text",
    b"PK\x03\x04": "is a zip archive",
}


def said(path: Path) -> str:
    with pytest.raises(RequestError) as raised:
        read_label_map(path)
    text = str(raised.value)
    assert text.startswith(str(path))
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize(("text", "kind"), MEANT.items())
def test_what_is_meant_is_written_out(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_text(text)
    line = said(path)
    assert kind in line
    assert line.endswith(f"this one would be: {CAR_BUS}")
    path.write_text(line.partition("this one would be: ")[2])
    assert read_label_map(path).labels == {1: "car", 2: "bus"}


@pytest.mark.parametrize(("text", "says"), WRONG.items())
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_text(text, encoding="utf-8")
    assert says in said(path)


@pytest.mark.parametrize(("data", "says"), BYTES.items())
def test_another_kind_of_file_or_encoding_is_named(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_bytes(data)
    assert says in said(path)


def test_a_mark_line_ends_and_a_background_are_read(tmp_path: Path) -> None:
    path = tmp_path / "label_map.pbtxt"
    text = "item { id: 0 display_name: 'background' }\r\nitem { id: 1 name: 'car' }\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_label_map(path, 1).labels == {1: "car"}
    assert len(read_label_map_message(path).item) == 2
