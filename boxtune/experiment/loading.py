"""Reading an Experiment's file: one Experiment and, if it likes, the ConfigMaps that it mounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.kustomization import generated_config_maps
from boxtune.experiment.source import Document, read_documents
from boxtune.experiment.validation import problems
from boxtune.problems import Problem
from trial_entry.storage.buckets import local_beside
from trial_entry.storage.urls import is_remote

_ALLOWED = "it may hold one Experiment and the ConfigMaps that it mounts"
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
ConfigMaps = Mapping[str, Mapping[str, str]]
_BESIDE_BYTES = 1024 * 1024  # more than a ConfigMap may have


def load_experiment(path: Path) -> Experiment:
    """The Experiment in the YAML file `path`.

    Raises:
        ExperimentError: unreadable, not YAML, something else than one Experiment and ConfigMaps, or one that
            Katib would refuse; every problem is named.
    """
    document, config_maps = read_experiment(path)
    found = list(problems(document.raw))
    if found:
        raise ExperimentError(*(placed(each, document) for each in found), file=str(path))
    try:
        return parse_experiment(document.raw, config_maps)
    except ExperimentError as wrong:
        raise ExperimentError(*(placed(each, document) for each in wrong.problems), file=str(path)) from None


def placed(problem: Problem, document: Document) -> Problem:
    """The problem with its line in the document."""
    return replace(problem, line=document.line(problem.path))


def read_experiment(path: Path) -> tuple[Document, ConfigMaps]:
    """The one Experiment in the YAML file `path`, not looked at yet, and the ConfigMaps beside it.

    Raises:
        ExperimentError: unreadable, not YAML, or something else than one Experiment and ConfigMaps.
    """
    experiments: list[Document] = []
    config_maps: dict[str, Mapping[str, str]] = {}
    for document in read_documents(path):
        kind = document.raw.get("kind") if isinstance(document.raw, Mapping) else None
        if kind == "Experiment":
            experiments.append(document)
        elif kind == "ConfigMap":
            name, data = _config_map(document, path)
            config_maps[name] = data
        else:
            what = f"{kind}" if isinstance(kind, str) else "document without a kind"
            raise ExperimentError(f"has a {what}; {_ALLOWED}", file=str(path))
    if len(experiments) != 1:
        raise ExperimentError(f"has {len(experiments)} Experiments; {_ALLOWED}", file=str(path))
    return experiments[0], generated_config_maps(path.parent) | config_maps


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
