"""YAML with the line of everything in it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from boxtune.errors import ExperimentError

Json = Any  # what YAML and JSON hold; typed by whoever reads it
JsonObject = Mapping[str, Json]
Place = tuple[str | int, ...]
_BARE = frozenset("yYnN")
_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Document:
    """One YAML document.

    Attributes:
        raw: what it says.
        lines: the line (from 1) of each key and list element, by its path.
        bare: places of unquoted `y` and `n`, which Go's YAML reads as booleans and Python's does not.
    """

    raw: Any
    lines: Mapping[Place, int]
    bare: tuple[Place, ...] = ()

    def line(self, path: str) -> int:
        """The line of a path such as `spec.parameters.0.name`, or of what it lies in."""
        place: Place = tuple(int(part) if part.isdecimal() else part for part in path.split(".")) if path else ()
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


# What Go's YAML makes of plain words: 1e-4 is a number, 10:30 and 2026-01-01 are texts.
# Source: go-yaml v2's resolve.go.
_PLAIN = (
    ("tag:yaml.org,2002:int", r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$", "-+."),
)
_NOT_GO_S = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value", *(tag for tag, _, _ in _PLAIN)}
_MOST_PLACES = 200_000  # what aliases may multiply a document to


class _Loader(yaml.SafeLoader):
    """Reads plain words as Go does. Refuses a key that stands twice, of which YAML would silently take the last."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own, made per class)
        first: [(tag, words) for tag, words in resolvers if tag not in _NOT_GO_S]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError):
            problem = f"not a {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a mapping or list where a name must stand; render a template ({{ … }}) first"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            if key.value in seen:
                problem = f'"{key.value}" stands twice'
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


for _tag, _words, _first in _PLAIN:
    _Loader.add_implicit_resolver(_tag, re.compile(_words), list(_first))


def read_documents(path: Path) -> list[Document]:
    """The YAML documents in the file `path`, empty ones left out.

    Raises:
        ExperimentError: unreadable, or not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExperimentError(f"{path}: no such file; give an Experiment's YAML file") from None
    except IsADirectoryError:
        raise ExperimentError(f"{path}: a folder; give an Experiment, such as {path}/experiment.yaml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: cannot be read: {error}") from None
    try:
        return list(_documents(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ExperimentError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ExperimentError(
            f"{path}:{line}: not valid YAML: a character that no text has (#x{error.character:04x})"
        ) from None
    except RecursionError:
        raise ExperimentError(
            f"{path}: not valid YAML: an alias stands within what it names, or it is too deep"
        ) from None


def _documents(text: str) -> Iterator[Document]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # check_node said so
            lines: dict[Place, int] = {(): node.start_mark.line + 1}
            bare: list[Place] = []
            _walk(node, (), lines, bare)
            raw = loader.construct_document(node)
            if raw is not None:
                yield Document(raw, lines, tuple(bare))
    finally:
        loader.dispose()


def _refuse_nul(node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode) and "\0" in node.value:
        problem = "a NUL character, which no program, variable or file can have"
        raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], bare: list[Place]) -> None:
    if len(lines) > _MOST_PLACES:
        raise yaml.constructor.ConstructorError(problem="its aliases make too much of it", problem_mark=node.start_mark)
    _refuse_nul(node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _refuse_nul(key)
            inner = (*place, str(key.value))
            lines[inner] = key.start_mark.line + 1
            if key.style is None and key.value in _BARE:
                bare.append(inner)
            _walk(value, inner, lines, bare)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*place, number)] = value.start_mark.line + 1
            _walk(value, (*place, number), lines, bare)
    elif isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _BARE:
        bare.append(place)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back as it was: a text that Go would take for something else stands in quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if style is None and (text in _BARE or _plain_tag(text) != _TEXT):
        style = "'"
    return dumper.represent_scalar(_TEXT, text, style=style)


def _plain_tag(text: str) -> str:
    """What the text would be read as without quotes."""
    return str(_Loader("").resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]


_Dumper.add_representer(str, _represent_text)


def documents_text(documents: Iterable[JsonObject]) -> str:
    """The documents as YAML, which `read_documents` reads as they are."""
    return "---\n".join(
        yaml.dump(each, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True) for each in documents
    )
