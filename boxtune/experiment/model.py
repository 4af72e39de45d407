"""An Experiment, parsed: what the search, the trials and the reports need of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from boxtune.errors import ExperimentError
from boxtune.experiment.space import ParameterSpec

DEFAULT_PARALLEL = 3
DEFAULT_FILTER = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
Strategy = Literal["min", "max", "latest"]


@dataclass(frozen=True)
class Objective:
    """What is optimised.

    Attributes:
        metric: objectiveMetricName.
        maximize: whether more is better.
        goal: the search ends once the best trial is this good, or None.
        additional: other metrics that are kept.
        strategies: which of a trial's values of each metric counts.
    """

    metric: str
    maximize: bool
    goal: float | None
    additional: tuple[str, ...]
    strategies: Mapping[str, Strategy]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The objective's metric first, then the additional ones."""
        return (self.metric, *self.additional)

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`."""
        return one > other if self.maximize else one < other

    def reached(self, value: float) -> bool:
        """Whether `value` is as good as the goal."""
        return self.goal is not None and (value >= self.goal if self.maximize else value <= self.goal)


@dataclass(frozen=True)
class Counts:
    """The three counts, which may be edited while a search goes on.

    Attributes:
        parallel: trials at a time.
        most: trials until the search ends, or None for no end of its own.
        most_failed: failed trials until it fails, or None.
    """

    parallel: int
    most: int | None
    most_failed: int | None


@dataclass(frozen=True)
class Collector:
    """Where a trial's metrics are read.

    Attributes:
        kind: Katib's name of the collector.
        path: the file in the pod, for the File collector.
        file_format: TEXT or JSON.
        filters: RE2 expressions with a group for the name and one for the value.
    """

    kind: str = "StdOut"
    path: str = "/var/log/katib/metrics.log"
    file_format: str = "TEXT"
    filters: tuple[str, ...] = (DEFAULT_FILTER,)


@dataclass(frozen=True)
class Experiment:
    """One Experiment.

    Attributes:
        name, namespace: its metadata.
        raw: the whole of it, as read.
        objective, counts, collector: parsed parts.
        algorithm: the search algorithm's name.
        settings: algorithmSettings by name.
        parameters: the search space.
        early_stopping: name of the early-stopping algorithm, or None.
        early_stopping_settings: its settings by name.
        config_maps: data of the ConfigMaps in the same file, by name and key.
    """

    name: str
    namespace: str
    raw: Mapping[str, Any]
    objective: Objective
    counts: Counts
    collector: Collector
    algorithm: str
    settings: Mapping[str, str]
    parameters: tuple[ParameterSpec, ...]
    early_stopping: str | None = None
    early_stopping_settings: Mapping[str, str] = field(default_factory=dict)
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def template(self) -> Mapping[str, Any]:
        """spec.trialTemplate, as read."""
        template: Mapping[str, Any] = self.raw["spec"]["trialTemplate"]
        return template


def parse_experiment(raw: Mapping[str, Any], config_maps: Mapping[str, Mapping[str, str]]) -> Experiment:
    """The Experiment that `raw` is; `raw` has passed validation.

    Raises:
        ExperimentError: a parameter from which nothing could be suggested.
    """
    spec = raw["spec"]
    parameters = tuple(ParameterSpec.parse(parameter) for parameter in spec.get("parameters") or [])
    names = [parameter.name for parameter in parameters]
    if len(set(names)) < len(names):
        raise ExperimentError(f"spec.parameters: a name stands twice among {', '.join(names)}")
    collector = spec.get("metricsCollectorSpec") or {}
    source = collector.get("source") or {}
    file = source.get("fileSystemPath") or {}
    formats = (source.get("filter") or {}).get("metricsFormat")
    return Experiment(
        name=raw["metadata"]["name"],
        namespace=raw["metadata"].get("namespace", "default"),
        raw=raw,
        objective=_objective(spec["objective"]),
        counts=Counts(
            spec.get("parallelTrialCount", DEFAULT_PARALLEL), spec.get("maxTrialCount"), spec.get("maxFailedTrialCount")
        ),
        collector=Collector(
            kind=(collector.get("collector") or {}).get("kind", "StdOut"),
            path=file.get("path", Collector.path),
            file_format=file.get("format", "TEXT"),
            filters=tuple(formats) if formats else Collector.filters,
        ),
        algorithm=spec["algorithm"]["algorithmName"],
        settings=_settings(spec["algorithm"]),
        parameters=parameters,
        early_stopping=(spec.get("earlyStopping") or {}).get("algorithmName"),
        early_stopping_settings=_settings(spec.get("earlyStopping") or {}),
        config_maps=config_maps,
    )


def _settings(raw: Mapping[str, Any]) -> dict[str, str]:
    return {setting["name"]: setting["value"] for setting in raw.get("algorithmSettings") or []}


def _objective(raw: Mapping[str, Any]) -> Objective:
    default: Strategy = "max" if raw["type"] == "maximize" else "min"
    names = (raw["objectiveMetricName"], *(raw.get("additionalMetricNames") or ()))
    strategies: dict[str, Strategy] = dict.fromkeys(names, default)
    strategies.update({given["name"]: given["value"] for given in raw.get("metricStrategies") or []})
    return Objective(names[0], raw["type"] == "maximize", raw.get("goal"), names[1:], strategies)
