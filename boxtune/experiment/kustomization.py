"""What of kustomize an Experiment's folder uses: generated ConfigMaps, with hashed names.

Source: kustomize's `api/hasher/hasher.go` for the names. The whole of a folder is built by scripts/manifests, of these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from boxtune.errors import ExperimentError
from boxtune.experiment.source import JsonObject, read_documents
from boxtune.problems import error

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_UNHASHED = str.maketrans("013ae", "ghkmt")  # kustomize keeps vowels and lookalikes out of its names


class _Generator(BaseModel):
    name: str
    files: list[str] = []
    literals: list[str] = []
    envs: list[str] = []


_GENERATORS = TypeAdapter(list[_Generator])


def read_kustomization(folder: Path) -> JsonObject:
    """The kustomization in `folder`; empty where there is none.

    Raises:
        ExperimentError: unreadable, not YAML, or no mapping.
    """
    file = _file(folder)
    documents = read_documents(file) if file.is_file() else []
    for document in documents:
        if not isinstance(document.raw, Mapping):
            raise ExperimentError(error("", "must be a mapping"), file=str(file))
    return documents[0].raw if documents else {}


def _file(folder: Path) -> Path:
    return next((folder / name for name in NAMES if (folder / name).is_file()), folder / NAMES[0])


def generated_config_maps(folder: Path) -> dict[str, dict[str, str]]:
    """Data by key of the ConfigMaps that the kustomization in `folder` generates, by their plain names.

    Raises:
        ExperimentError: as `read_kustomization`; a generator is malformed, or its file cannot be read.
    """
    field, generated = "configMapGenerator", dict[str, dict[str, str]]()
    try:
        generators = _GENERATORS.validate_python(read_kustomization(folder).get(field) or [])
    except ValidationError as wrong:
        first = wrong.errors()[0]
        path = ".".join((field, *map(str, first["loc"])))
        raise ExperimentError(error(path, first["msg"]), file=str(_file(folder))) from None
    for number, generator in enumerate(generators):
        data = generated.setdefault(generator.name, {})
        for entry in generator.files:
            key, equals, place = entry.partition("=")
            source = folder / (place if equals else key)
            data[key if equals else source.name] = _text(source, f"{field}.{number}.files", folder)
        for entry in generator.envs:
            lines = _text(folder / entry, f"{field}.{number}.envs", folder).splitlines()
            data |= _variables(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
        data |= {key: _unquoted(value) for key, value in _variables(generator.literals).items()}
    return generated


def _text(source: Path, field: str, folder: Path) -> str:
    try:
        return source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ExperimentError(error(field, f"{source} cannot be read: {wrong}"), file=str(_file(folder))) from None


def _variables(entries: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` each."""
    pairs = (entry.partition("=") for entry in entries)
    return {name.strip(): value for name, _, value in pairs}


def _unquoted(value: str) -> str:
    """A literal without the quotes around it, as kustomize takes it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def hashed_name(name: str, data: Mapping[str, str]) -> str:
    """kustomize's name of a generated ConfigMap: with the first ten digits of SHA-256 of it as Go's JSON.

    Its hasher looks the ConfigMap's own name up at a path that nothing has, so it is always empty there.
    """
    text = json.dumps(
        {"data": data, "kind": "ConfigMap", "name": ""}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:10].translate(_UNHASHED)}"
