"""Reading an Experiment's file: one Experiment and, if it likes, the ConfigMaps that it mounts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.experiment.model import Experiment, parse_experiment
from boxtune.experiment.source import Document, read_documents
from boxtune.experiment.validation import problems

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_ALLOWED = "one Experiment and the ConfigMaps that it mounts"
ConfigMaps = Mapping[str, Mapping[str, str]]


def load_experiment(path: Path) -> Experiment:
    """The Experiment in the YAML file `path`.

    Raises:
        ExperimentError: unreadable, not YAML, something else than one Experiment and ConfigMaps, or one that
            Katib would refuse; every problem is named.
    """
    document, config_maps = read_experiment(path)
    found = list(problems(document.raw))
    if found:
        raise ExperimentError(f"{path}: {'; '.join(found)}")
    try:
        return parse_experiment(document.raw, config_maps)
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from None


def read_experiment(path: Path) -> tuple[Document, ConfigMaps]:
    """The one Experiment in the YAML file `path`, not looked at yet, and the ConfigMaps beside it.

    Raises:
        ExperimentError: unreadable, not YAML, or something else than one Experiment and ConfigMaps.
    """
    experiments: list[Document] = []
    config_maps: dict[str, dict[str, str]] = {}
    for document in read_documents(path):
        raw = document.raw
        kind = raw.get("kind") if isinstance(raw, dict) else None
        if kind == "Experiment":
            experiments.append(document)
        elif kind == "ConfigMap":
            config_maps[str((raw.get("metadata") or {}).get("name"))] = dict(raw.get("data") or {})
        else:
            raise ExperimentError(f"{path}: has a {kind or 'document without a kind'}; it may hold {_ALLOWED}")
    if len(experiments) != 1:
        raise ExperimentError(f"{path}: has {len(experiments)} Experiments; it may hold {_ALLOWED}")
    return experiments[0], _generated_config_maps(path.parent) | config_maps


def _generated_config_maps(folder: Path) -> dict[str, dict[str, str]]:
    """The ConfigMaps that a kustomization beside the file would generate from files."""
    file = next((folder / name for name in _KUSTOMIZATIONS if (folder / name).is_file()), None)
    generated: dict[str, dict[str, str]] = {}
    for document in read_documents(file) if file else []:
        for generator in document.raw.get("configMapGenerator") or []:
            data = generated.setdefault(generator["name"], {})
            for entry in generator.get("files") or []:
                key, equals, place = entry.partition("=")
                source = folder / (place if equals else entry)
                try:
                    data[key if equals else source.name] = source.read_text(encoding="utf-8")
                except OSError as error:
                    raise ExperimentError(f"{file}: {source}: {error.strerror}") from None
    return generated
