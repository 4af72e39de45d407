"""Reading an Experiment's file: one Experiment, the ConfigMaps that it mounts, and whatever else stands beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.kustomization import generated_config_maps
from boxtune.experiment.source import Document, read_documents
from boxtune.experiment.validation import KIND, problems
from boxtune.problems import Problem, errors_of, note, with_article
from trial_entry.storage.buckets import local_beside
from trial_entry.storage.urls import is_remote

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
ConfigMaps = Mapping[str, Mapping[str, str]]
_BESIDE_BYTES = 1024 * 1024  # more than a ConfigMap may have


@dataclass(frozen=True)
class Read:
    """What an Experiment's file holds.

    Attributes:
        document: the Experiment, not looked at yet.
        config_maps: data by name and key, those that a kustomization beside the file generates as well.
        others: notes of documents that are left alone, each with its line.
        text_lines: the line before its first, by each text of the file's own ConfigMaps that stands there line by line.
    """

    document: Document
    config_maps: ConfigMaps
    others: tuple[Problem, ...] = field(default=())
    text_lines: Mapping[str, int] = field(default_factory=dict)


def load_experiment(path: Path, name: str | None = None) -> Experiment:
    """The Experiment in the YAML file `path`.

    Args:
        name: of the Experiment, where the file holds several.

    Raises:
        ExperimentError: unreadable, not YAML, without an Experiment or with several, or one that Katib would refuse;
            every problem is named.
    """
    read = read_experiment(path, name)
    document = read.document
    found = errors_of(list(problems(document.raw, read.config_maps)))
    if found:
        raise ExperimentError(*(placed(each, document) for each in found), file=str(path))
    try:
        return parse_experiment(document.raw, read.config_maps)
    except ExperimentError as wrong:
        raise ExperimentError(*(placed(each, document) for each in wrong.problems), file=str(path)) from None


def placed(problem: Problem, document: Document) -> Problem:
    """The problem with its line in the document, where it has none yet."""
    return problem if problem.line else replace(problem, line=document.line(problem.path))


def read_experiment(path: Path, name: str | None = None) -> Read:
    """The Experiment in the YAML file `path`, not looked at yet, and what stands beside it.

    Args:
        name: of the Experiment, where the file holds several.

    Raises:
        ExperimentError: unreadable, not YAML, without an Experiment, or with several and none chosen.
    """
    experiments: list[Document] = []
    config_maps: dict[str, Mapping[str, str]] = {}
    others: list[Problem] = []
    text_lines: dict[str, int] = {}
    kinds: list[str] = []
    for document in (item for each in read_documents(path) for item in each.items()):
        kind = document.raw.get("kind") if isinstance(document.raw, Mapping) else None
        if kind == KIND:
            experiments.append(document)
        elif kind == "ConfigMap":
            key, data = _config_map(document, path)
            config_maps[key] = data
            text_lines |= {text: document.lines.get(("data", name), 0) for name, text in data.items()}
        else:
            kinds.append(with_article(kind) if isinstance(kind, str) else "a document without a kind")
            others.append(placed(note("", f"{kinds[-1]} stands beside the Experiment; it is left alone"), document))
    if not experiments:
        held = ", ".join([*("a ConfigMap" for _ in config_maps), *kinds])
        what = f"has no Experiment{f', only {held}' if held else ''}; give a file with one (kind: {KIND})"
        raise ExperimentError(what, file=str(path))
    document = _chosen(experiments, name, path)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    text_lines = {text: line for text, line in text_lines.items() if _is_block(text, lines[line:])}
    return Read(document, generated_config_maps(path.parent) | config_maps, tuple(others), text_lines)


def _is_block(text: str, lines: Sequence[str]) -> bool:
    """Whether a text stands in these lines of a file as it is, but for blanks at their ends, as after a `|`."""
    own = text.split("\n")
    return len(own) <= len(lines) + 1 and all(
        each.strip() == line.strip() for each, line in zip(own, [*lines, ""], strict=False) if each.strip()
    )


def _chosen(experiments: Sequence[Document], name: str | None, path: Path) -> Document:
    """The one Experiment, or the one of this name."""
    names = [_name_of(each) for each in experiments]
    if name is not None:
        if names.count(name) != 1:
            count = names.count(name) or "no"
            raise ExperimentError(f"has {count} Experiment {name}; it has {', '.join(names) or 'none'}", file=str(path))
        return experiments[names.index(name)]
    if len(experiments) > 1:
        what = f"has {len(experiments)} Experiments: {', '.join(names)}"
        raise ExperimentError(f"{what}; choose one: --name NAME", file=str(path))
    return experiments[0]


def _name_of(document: Document) -> str:
    metadata = document.raw.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else {}
    return str(named.get("name") or named.get("generateName") or "(without a name)")


def _config_map(document: Document, path: Path) -> tuple[str, Mapping[str, str]]:
    """The name and data of a ConfigMap."""
    metadata, data = document.raw.get("metadata"), document.raw.get("data") or {}
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str):
        raise ExperimentError(f"line {document.line('')}: a ConfigMap without metadata.name", file=str(path))
    if not isinstance(data, Mapping) or not all(isinstance(each, str) for each in (*data, *data.values())):
        line = document.line("data")
        raise ExperimentError(f"line {line}: the data of the ConfigMap {name} must be texts by name", file=str(path))
    if document.raw.get("binaryData"):
        what = f"the binaryData of the ConfigMap {name} cannot be read here; write texts under data"
        raise ExperimentError(f"line {document.line('binaryData')}: {what}", file=str(path))
    for key in data:
        if not _KEY.fullmatch(key) or key in (".", ".."):
            what = f'"{key}" cannot be a key of the ConfigMap {name}; keys are of letters, digits, ".", "_" and "-"'
            raise ExperimentError(f"line {document.line(f'data.{key}')}: {what}", file=str(path))
    return name, data


def local_experiment(place: str) -> Path:
    """The Experiment's file, or a copy of it with the small files beside it: a kustomization, a pipeline.config.

    Raises:
        DataError: a bucket cannot be read, or has no such object.
    """
    return local_beside(place, _may_be_mounted) if is_remote(place) else Path(place)


def _may_be_mounted(name: str, size: int) -> bool:
    """Whether what lies beside an Experiment may be a kustomization or one of its ConfigMaps' files."""
    return "/" not in name and size <= _BESIDE_BYTES
