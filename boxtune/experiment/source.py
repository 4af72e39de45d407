"""YAML with the line of everything in it, its scalars read as kubectl reads them (`scalars`)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from boxtune.errors import ExperimentError
from boxtune.experiment.scalars import key_text, plain_value
from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.text_mistakes import decoded

Json = Any  # what YAML and JSON hold; typed by whoever reads it
JsonObject = Mapping[str, Json]
Place = tuple[str | int, ...]
_PREFIX = "tag:yaml.org,2002:"
_TEXT, _PLAIN, _MERGE = f"{_PREFIX}str", f"{_PREFIX}plain", f"{_PREFIX}merge"
_RESOLVED = tuple(f"{_PREFIX}{name}" for name in ("int", "float", "bool", "null"))
_NOT_JSON_S = tuple(f"{_PREFIX}{name}" for name in ("binary", "timestamp", "omap", "pairs", "set"))
_MOST_PLACES = 200_000  # what aliases may multiply a document to
_TEMPLATE_SIGNS = ("{{", "{%")
_PIPELINE_CONFIG = re.compile(r"^\s*(?:model|train_config|train_input_reader|eval_config)\s*:?\s*\{", re.MULTILINE)
_KIND = re.compile(r"^\s*(?:- )?[\"']?kind[\"']?\s*:", re.MULTILINE)
_FLOW_PLACEHOLDER = re.compile(r"[\[{].*[\[,:]\s*[^'\",\[\]{}\s]*\$\{")  # unquoted, within […] or {…}
_RENDER = "it is a template ({{ … }}); render it first"
# PyYAML's words for what people meet most, and ours.
_PLAINLY = {
    "expected <block end>, but found": "this line does not fit the indentation of those above it",
    "mapping values are not allowed": 'a second ":" in what began as a text; put the text in quotes, or give '
    "this line the indentation of those above it",
    "could not find expected ':'": 'the line above is no "name: value"; give it a ":", or leave it out',
    "found character '\\t'": "a tab in the indentation; write blanks",
    "found character '`'": "a ` of Markdown; leave the lines with ``` out, or put the text in quotes",
}


@dataclass(frozen=True)
class Document:
    """One YAML document, or one of the items of a List.

    Attributes:
        raw: what it says.
        lines: the line (from 1) of each key and list element, by its path.
    """

    raw: Json
    lines: Mapping[Place, int]

    def line(self, path: str) -> int:
        """The line of a path such as `spec.parameters.0.name`, or of what it lies in."""
        place: Place = tuple(int(part) if part.isdecimal() else part for part in path.split(".")) if path else ()
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, self.lines.get((), 1))

    def items(self) -> list[Document]:
        """The documents in the `items` of a List; itself where it is none."""
        raw = self.raw
        if not isinstance(raw, Mapping) or not str(raw.get("kind")).endswith("List"):
            return [self]
        items = raw.get("items")
        return [self._item(number, item) for number, item in enumerate(items)] if isinstance(items, list) else [self]

    def _item(self, number: int, raw: Json) -> Document:
        start: Place = ("items", number)
        return Document(raw, {place[2:]: line for place, line in self.lines.items() if place[:2] == start})


class _Loader(yaml.SafeLoader):
    """Leaves plain words to `plain_value`. Refuses a key that stands twice, of which YAML silently takes the last."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (PyYAML's own, made per class)

    def scan_to_next_token(self) -> None:
        """Tabs between tokens are blanks wherever Go's reader takes them so: all but those that indent a block."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: yaml.Mark) -> list[str]:
        """Tabs within a plain text belong to it, as blanks do."""
        blanks = ""
        while self.peek() in " \t":
            blanks += self.peek()
            self.forward()
        folded = super().scan_plain_spaces(indent, start_mark)
        return folded or ([blanks] if blanks else [])

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        """The tag of a node that has none: a plain word's is found out when it is constructed."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _MERGE if value == "<<" else _PLAIN
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = _key(key)
            if name in seen:
                raise yaml.constructor.ConstructorError(problem=f'"{name}" stands twice', problem_mark=key.start_mark)
            seen.add(name)
        self.flatten_mapping(node)
        return {_key(key): self.construct_object(value, deep=deep) for key, value in node.value}


def _construct_plain(loader: yaml.SafeLoader, node: yaml.Node) -> Json:
    return plain_value(str(node.value))


def _construct_resolved(loader: yaml.SafeLoader, node: yaml.Node) -> Json:
    """Of `!!int 3` and the like: what the word is without its tag, where that is of this type."""
    value = plain_value(str(node.value)) if isinstance(node, yaml.ScalarNode) else node
    wanted = node.tag.removeprefix(_PREFIX)
    of_type = {
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
        "null": value is None,
    }
    if not of_type[wanted]:
        raise yaml.constructor.ConstructorError(problem=f"not a {wanted}", problem_mark=node.start_mark)
    return value


def _refuse(loader: yaml.SafeLoader, node: yaml.Node) -> NoReturn:
    problem = f"the tag !!{node.tag.removeprefix(_PREFIX)} is not read; write the value without it"
    raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _key(node: yaml.Node) -> str:
    """A key as JSON has it: a text, whatever YAML reads it as."""
    if not isinstance(node, yaml.ScalarNode):
        problem = f"a mapping or list where a name must stand; {_RENDER}"
        raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
    if node.tag == _TEXT or node.style is not None:
        return str(node.value)
    text = key_text(node.value)
    if text is None:
        problem = f"{node.value or 'nothing'} where a name must stand; put it in quotes"
        raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
    return text


_Loader.add_constructor(_PLAIN, _construct_plain)
_Loader.add_constructor(_MERGE, _construct_plain)
for _tag in _RESOLVED:
    _Loader.add_constructor(_tag, _construct_resolved)
for _tag in _NOT_JSON_S:
    _Loader.add_constructor(_tag, _refuse)


def read_documents(path: Path) -> list[Document]:
    """The YAML documents in the file `path`, empty ones left out.

    Raises:
        ExperimentError: unreadable, or not YAML.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ExperimentError(f"{path}: no such file; give an Experiment's YAML file") from None
    except IsADirectoryError:
        raise ExperimentError(f"{path}: a folder; give an Experiment{_experiment_near(path)}") from None
    except OSError as error:
        raise ExperimentError(f"{path}: cannot be read: {error.strerror}") from None
    text = _text(data, str(path))
    if _PIPELINE_CONFIG.search(text) and not _KIND.search(text):
        raise ExperimentError(f"{path}: is a pipeline.config; give an Experiment, and this with --config")
    return read_text(text, str(path))


def _text(data: bytes, name: str) -> str:
    """What the bytes of a file say; a NUL is YAML's to refuse, with its line, but for UTF-16's among the first four.

    Raises:
        ExperimentError: not UTF-8.
    """
    try:
        if b"\0" not in data[:4]:
            return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        pass
    try:
        return decoded(data, name, "an Experiment is YAML")
    except ConfigError as wrong:
        raise ExperimentError(str(wrong)) from None


def _experiment_near(folder: Path) -> str:
    """The YAML file likely meant by a folder: within it, or of its name beside it; empty where there is none."""
    likely = (folder / "experiment.yaml", folder.with_name(f"{folder.name}.yaml"), *sorted(folder.glob("*.yaml")))
    return next((f", such as {file}" for file in likely if file.is_file() and file.stem != "kustomization"), "")


def read_text(text: str, name: str) -> list[Document]:
    """The YAML documents in `text`, empty ones left out; `name` is what errors call it.

    Raises:
        ExperimentError: not YAML.
    """
    try:
        return list(_documents(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = _plainly(error.problem or "")
        if _RENDER not in problem and any(sign in text for sign in _TEMPLATE_SIGNS):
            problem = f"{problem}; {_RENDER}"
        elif error.problem_mark and _FLOW_PLACEHOLDER.search(text.splitlines()[error.problem_mark.line]):
            problem = "${…} stands without quotes within […] or {…}; put it in quotes"
        raise ExperimentError(f"{name}:{line}: not valid YAML: {problem}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ExperimentError(
            f"{name}:{line}: not valid YAML: a character that no text has (#x{error.character:04x})"
        ) from None
    except RecursionError:
        raise ExperimentError(
            f"{name}: not valid YAML: an alias stands within what it names, or it is too deep"
        ) from None


def _plainly(problem: str) -> str:
    return next((ours for theirs, ours in _PLAINLY.items() if problem.startswith(theirs)), problem)


def _documents(text: str) -> Iterator[Document]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # check_node said so
            lines: dict[Place, int] = {(): node.start_mark.line + 1}
            _walk(node, (), lines)
            raw = loader.construct_document(node)
            if raw is not None:
                yield Document(raw, lines)
    finally:
        loader.dispose()


def _refuse_nul(node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode) and "\0" in node.value:
        problem = "a NUL character, which no program, variable or file can have"
        raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    if len(lines) > _MOST_PLACES:
        raise yaml.constructor.ConstructorError(problem="its aliases make too much of it", problem_mark=node.start_mark)
    _refuse_nul(node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _refuse_nul(key)
            inner = (*place, _key(key))
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*place, number)] = value.start_mark.line + 1
            _walk(value, (*place, number), lines)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back as it was: a text that Go would take for something else stands in quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if style is None and (text == "<<" or plain_value(text) != text):
        style = "'"
    return dumper.represent_scalar(_TEXT, text, style=style)


_Dumper.add_representer(str, _represent_text)


def documents_text(documents: Iterable[JsonObject]) -> str:
    """The documents as YAML, which `read_documents` reads as they are."""
    return "---\n".join(
        yaml.dump(each, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True) for each in documents
    )
