"""YAML with the line of everything in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from boxtune.errors import ExperimentError

Json = Any  # what YAML and JSON hold; typed by whoever reads it
JsonObject = Mapping[str, Json]
Place = tuple[str | int, ...]
_BARE = frozenset("yYnN")


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


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently take the last."""

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


def read_documents(path: Path) -> list[Document]:
    """The YAML documents in the file `path`, empty ones left out.

    Raises:
        ExperimentError: unreadable, or not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExperimentError(f"{path}: no such file; give an Experiment's YAML file") from None
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
            raw = loader.construct_document(node)
            if raw is not None:
                lines: dict[Place, int] = {(): node.start_mark.line + 1}
                bare: list[Place] = []
                _walk(node, (), lines, bare)
                yield Document(raw, lines, tuple(bare))
    finally:
        loader.dispose()


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], bare: list[Place]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
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
