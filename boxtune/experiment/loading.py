"""Reading an Experiment's file: one Experiment and, if it likes, the ConfigMaps that it mounts."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from boxtune.errors import ExperimentError
from boxtune.experiment.model import Experiment, parse_experiment
from boxtune.experiment.validation import problems

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_ALLOWED = "one Experiment and the ConfigMaps that it mounts"


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen:
                problem = f'"{key.value}" stands twice'
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_experiment(path: Path) -> Experiment:
    """The Experiment in the YAML file `path`.

    Raises:
        ExperimentError: unreadable, not YAML, something else than one Experiment and ConfigMaps, or one that
            Katib would refuse; every problem is named.
    """
    experiments, config_maps = [], {}
    for document in _documents(path):
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind == "Experiment":
            experiments.append(document)
        elif kind == "ConfigMap":
            config_maps[document.get("metadata", {}).get("name")] = dict(document.get("data") or {})
        else:
            raise ExperimentError(f"{path}: has a {kind or 'document without a kind'}; it may hold {_ALLOWED}")
    config_maps = _generated_config_maps(path.parent) | config_maps
    if len(experiments) != 1:
        raise ExperimentError(f"{path}: has {len(experiments)} Experiments; it may hold {_ALLOWED}")
    found = list(problems(experiments[0]))
    if found:
        raise ExperimentError(f"{path}: {'; '.join(found)}")
    try:
        return parse_experiment(experiments[0], config_maps)
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from None


def _generated_config_maps(folder: Path) -> dict[str, dict[str, str]]:
    """The ConfigMaps that a kustomization beside the file would generate from files."""
    file = next((folder / name for name in _KUSTOMIZATIONS if (folder / name).is_file()), None)
    generated: dict[str, dict[str, str]] = {}
    for document in _documents(file) if file else []:
        for generator in document.get("configMapGenerator") or []:
            data = generated.setdefault(generator["name"], {})
            for entry in generator.get("files") or []:
                key, equals, place = entry.partition("=")
                source = folder / (place if equals else entry)
                try:
                    data[key if equals else source.name] = source.read_text(encoding="utf-8")
                except OSError as error:
                    raise ExperimentError(f"{file}: {source}: {error.strerror}") from None
    return generated


def _documents(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExperimentError(f"{path}: no such file; give an Experiment's YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: cannot be read: {error}") from None
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ExperimentError(f"{path}:{line}: not valid YAML: {error.problem}") from None
