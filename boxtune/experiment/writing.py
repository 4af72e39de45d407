"""An Experiment and the ConfigMaps of its file as the text of one file: what is handed to where there are no files."""

from __future__ import annotations

from collections.abc import Mapping

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import JsonObject, documents_text


def experiment_text(experiment: Experiment) -> str:
    """The text, which `load_experiment` reads as the same Experiment."""
    maps = experiment.config_maps
    return documents_text([*(_config_map(name, data) for name, data in maps.items()), experiment.raw])


def _config_map(name: str, data: Mapping[str, str]) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}
