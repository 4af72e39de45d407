"""No pipeline.config, label map or record breaks `boxtune check` or `boxtune parameters`."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.test_configs import CASES
from tests.fuzz.mutations import texts
from tests.fuzz.verdicts import verdict
from trial_entry.pipeline_config.text import config_text, parse_config

CONFIGS = [path.read_bytes() for path in sorted(CASES.glob("**/*.config"))]
LABEL_MAPS = [path.read_bytes() for path in sorted(CASES.glob("**/*.pbtxt"))]
NUMBERS = (0, 1, -1, 2, 7, 2**31 - 1, -(2**31), 0.0, 0.5, 1e-45, 3e38, -1.0, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    "",
    " ",
    "/",
    ".",
    "~",
    "$HOME",
    "x" * 5000,
    "\n",
    "\x1b[31m",
    "gs://",
    "gs://b/o",
    "/dev/zero",
    "/proc/self/mem",
    "a*",
    "[",
    "ä\0",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records that the configs name."""
    folder = tmp_path_factory.mktemp("records")
    runpy.run_path(str(CASES / "records.py"))["main"](folder, "usual")
    return folder


def looked_at(name: str, folder: Path, config: Path, own_paths: bool = False) -> None:
    """By both commands that read a config."""
    experiment = CASES / ("experiment-own-paths.yaml" if own_paths else "experiment.yaml")
    verdict(name, "check", experiment, "--config", config, "--volume", f"data={folder}")
    verdict(name, "parameters", config)
    verdict(name, "parameters", config, "--yaml")


@given(data=st.sampled_from(CONFIGS).flatmap(texts))
def test_a_config_s_text(data: bytes, folder: Path) -> None:
    config = folder / "fuzzed.config"
    config.write_bytes(data)
    looked_at("config's text", folder, config)


def fields(message: Message) -> list[tuple[Message, Any]]:
    """Every (message, field) that could be set, of messages that are there."""
    found = [(message, field) for field in message.DESCRIPTOR.fields]
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for item in value if field.is_repeated else (value,):
                found += fields(item)
    return found


def change(draw: st.DrawFn, message: Message, field: Any) -> None:
    """Set, add, drop or clear one field."""
    how = draw(st.sampled_from(("set", "set", "set", "clear", "drop")))
    now = getattr(message, field.name)
    if how == "clear":
        message.ClearField(field.name)
    elif field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            return
        if not field.is_repeated:
            now.SetInParent()
        elif how == "drop" and now:
            del now[draw(st.integers(0, len(now) - 1))]
        else:
            now.add()
    else:
        value = fitting(draw, field)
        if field.is_repeated:
            now.append(value)
        else:
            setattr(message, field.name, value)


def fitting(draw: st.DrawFn, field: Any) -> Any:
    """A value of the field's type, of those at its ends more often than not."""
    if field.enum_type is not None:
        return draw(st.sampled_from([each.number for each in field.enum_type.values]))
    if field.cpp_type == field.CPPTYPE_STRING:
        return draw(st.sampled_from(TEXTS)).replace("\0", "")
    if field.cpp_type == field.CPPTYPE_BOOL:
        return draw(st.booleans())
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return float(draw(st.sampled_from(NUMBERS)))
    signed = field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64)
    number = draw(st.sampled_from([each for each in NUMBERS if isinstance(each, int)]) | st.integers(-100, 5000))
    return number if signed else abs(number) % 2**32


def parsed() -> list[Any]:
    """The configs that are some."""
    found = []
    for data in CONFIGS:
        try:
            found.append(parse_config(data.decode(), ""))
        except (ValueError, Exception):
            continue
    return found


MESSAGES = parsed()


@st.composite
def messages(draw: st.DrawFn) -> str:
    """A config with up to four fields changed."""
    seed = draw(st.sampled_from(MESSAGES))
    config = type(seed)()
    config.CopyFrom(seed)
    for _ in range(draw(st.integers(1, 4))):
        change(draw, *draw(st.sampled_from(fields(config))))
    return config_text(config)


@given(text=messages(), own_paths=st.booleans())
def test_a_config_s_fields(text: str, own_paths: bool, folder: Path) -> None:
    config = folder / "fuzzed.config"
    config.write_text(text, encoding="utf-8")
    looked_at("config's fields", folder, config, own_paths)


@pytest.fixture(scope="module")
def other(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the records whose files are changed."""
    copy = tmp_path_factory.mktemp("changed") / "data"
    shutil.copytree(folder, copy)
    return copy


@given(data=st.sampled_from(LABEL_MAPS).flatmap(texts))
def test_a_label_map(data: bytes, folder: Path, other: Path) -> None:
    (other / "label_map.pbtxt").write_bytes(data)
    (other / "train.record").write_bytes((folder / "train.record").read_bytes())
    checked("label map", other)


@given(draw=st.data())
def test_a_record_file(draw: st.DataObject, folder: Path, other: Path) -> None:
    (other / "label_map.pbtxt").write_bytes((folder / "label_map.pbtxt").read_bytes())
    (other / "train.record").write_bytes(draw.draw(texts((folder / "train.record").read_bytes())))
    checked("record file", other)


@given(draw=st.data())
def test_an_example(draw: st.DataObject, folder: Path, other: Path) -> None:
    """Changed within its checksum, as a program writes it that is wrong itself."""
    (other / "label_map.pbtxt").write_bytes((folder / "label_map.pbtxt").read_bytes())
    records = list(unframed((folder / "train.record").read_bytes()))
    number = draw.draw(st.integers(0, len(records) - 1))
    records[number] = draw.draw(texts(records[number]))
    (other / "train.record").write_bytes(b"".join(map(framed, records)))
    checked("example", other)


def checked(name: str, data: Path) -> None:
    verdict(name, "check", CASES / "experiment.yaml", "--config", CASES / "small.config", "--volume", f"data={data}")


def unframed(data: bytes) -> Any:
    """The records of a TFRecord file."""
    while data:
        length = int.from_bytes(data[:8], "little")
        yield data[12 : 12 + length]
        data = data[16 + length :]


def framed(data: bytes) -> bytes:
    """A record with its checksums."""
    length = len(data).to_bytes(8, "little")
    return length + masked(length) + data + masked(data)


def masked(data: bytes) -> bytes:
    crc = int(google_crc32c.value(data))
    return (((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")
