"""The Experiment, typed once: what the search, the trials and the reports need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast

from kubeflow_katib_api.models import (
    V1beta1AlgorithmSetting,
    V1beta1EarlyStoppingSetting,
    V1beta1Experiment,
    V1beta1MetricsCollectorSpec,
    V1beta1ObjectiveSpec,
    V1beta1ParameterSpec,
)

from boxtune.errors import ExperimentError
from boxtune.experiment.shape import read_model
from boxtune.experiment.source import JsonObject
from boxtune.experiment.space import ParameterSpec
from boxtune.experiment.template import TrialTemplate
from boxtune.problems import Problem, error

DEFAULT_PARALLEL = 3
DEFAULT_FILTER = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
MAX_STEPS = "boxtune/max-steps"  # an annotation: Katib passes it over
_T = TypeVar("_T")
MetricStrategy = Literal["min", "max", "latest"]


@dataclass(frozen=True)
class Objective:
    """What is optimised.

    Attributes:
        metric: objectiveMetricName.
        maximize: whether more is better.
        goal: the search ends once the best trial is this good, or None.
        additional: other metrics that are kept.
        strategies: which of a trial's values of each metric counts.
        given_strategies: the names that metricStrategies has, in its order; the others have Katib's default.
    """

    metric: str
    maximize: bool
    goal: float | None
    additional: tuple[str, ...]
    strategies: Mapping[str, MetricStrategy]
    given_strategies: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The objective's metric first, then the additional ones."""
        return (self.metric, *self.additional)

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`."""
        return one > other if self.maximize else one < other

    def best_first(self, items: Iterable[_T], value: Callable[[_T], float | None]) -> list[_T]:
        """Those that have a value, the best first; equal ones stay in their order."""
        valued = [(found, item) for item in items if (found := value(item)) is not None]
        valued.sort(key=lambda pair: pair[0], reverse=self.maximize)
        return [item for _, item in valued]

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
        name, namespace: its metadata; the name is generateName's where only that is given, without the hyphen at its
            end; the namespace is empty where it is left out.
        raw: the whole of it, as read: what is submitted, and what a journal keeps.
        objective, counts, collector: parsed parts.
        algorithm: the search algorithm's name.
        settings: algorithmSettings by name.
        parameters: the search space.
        template: what a trial is.
        early_stopping: name of the early-stopping algorithm, or None.
        early_stopping_settings: its settings by name.
        config_maps: data of the ConfigMaps in the same file, by name and key.
        most_steps: that all trials together may train, from the annotation boxtune/max-steps; None without it.
    """

    name: str
    namespace: str
    raw: JsonObject
    objective: Objective
    counts: Counts
    collector: Collector
    algorithm: str
    settings: Mapping[str, str]
    parameters: tuple[ParameterSpec, ...]
    template: TrialTemplate = field(default_factory=TrialTemplate)
    early_stopping: str | None = None
    early_stopping_settings: Mapping[str, str] = field(default_factory=dict)
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    most_steps: int | None = None


def parse_experiment(raw: JsonObject, config_maps: Mapping[str, Mapping[str, str]]) -> Experiment:
    """The Experiment that `raw` is; its structure has been found right (`shape_problems`).

    Raises:
        ExperimentError: parameters from which nothing could be suggested, or of one name, all of them named; what
            makes it an Experiment is missing.
    """
    model = read_model(V1beta1Experiment, raw)
    metadata, spec = model.metadata, model.spec
    if metadata is None or spec is None or spec.algorithm is None:
        raise ExperimentError(error("", "must have metadata, spec and spec.algorithm"))
    stopping = spec.early_stopping
    return Experiment(
        name=metadata.name or (metadata.generate_name or "").rstrip("-"),
        namespace=metadata.namespace or "",
        raw=raw,
        objective=_objective(spec.objective or V1beta1ObjectiveSpec()),
        counts=Counts(
            DEFAULT_PARALLEL if spec.parallel_trial_count is None else spec.parallel_trial_count,
            spec.max_trial_count,
            spec.max_failed_trial_count,
        ),
        collector=_collector(spec.metrics_collector_spec or V1beta1MetricsCollectorSpec()),
        algorithm=spec.algorithm.algorithm_name or "",
        settings=_settings(spec.algorithm.algorithm_settings),
        parameters=_parameters(spec.parameters or ()),
        template=TrialTemplate.read(spec.trial_template),
        early_stopping=stopping.algorithm_name if stopping is not None else None,
        early_stopping_settings=_settings(stopping.algorithm_settings if stopping is not None else None),
        config_maps=config_maps,
        most_steps=_most_steps(metadata.annotations or {}),
    )


def _most_steps(annotations: Mapping[str, str]) -> int | None:
    text = annotations.get(MAX_STEPS)
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        path = f"metadata.annotations.{MAX_STEPS}"
        raise ExperimentError(error(path, f'"{text}": must be the number of steps that all trials together may train'))
    return int(text)


def _parameters(given: Iterable[V1beta1ParameterSpec]) -> tuple[ParameterSpec, ...]:
    parameters: dict[str, ParameterSpec] = {}
    wrong: list[Problem] = []
    for number, each in enumerate(given):
        path, name = f"spec.parameters.{number}", each.name or ""
        if name in parameters:
            wrong.append(error(f"{path}.name", f"{name} stands twice", "", "accepted; one of the two is searched"))
        try:
            parameters[name] = ParameterSpec.parse(each, path)
        except ExperimentError as unusable:
            wrong.extend(unusable.problems)
    if wrong:
        raise ExperimentError(*wrong)
    return tuple(parameters.values())


def _settings(given: Iterable[V1beta1AlgorithmSetting | V1beta1EarlyStoppingSetting] | None) -> dict[str, str]:
    return {each.name or "": each.value or "" for each in given or ()}


def _objective(given: V1beta1ObjectiveSpec) -> Objective:
    maximize = given.type == "maximize"
    metric, additional = given.objective_metric_name or "", tuple(given.additional_metric_names or ())
    strategies: dict[str, MetricStrategy] = dict.fromkeys((metric, *additional), "max" if maximize else "min")
    strategies.update({each.name or "": cast(MetricStrategy, each.value) for each in given.metric_strategies or ()})
    names = tuple(each.name or "" for each in given.metric_strategies or ())
    return Objective(metric, maximize, given.goal, additional, strategies, names)


def _collector(given: V1beta1MetricsCollectorSpec) -> Collector:
    source = given.source
    file = source.file_system_path if source is not None else None
    filters = (source.filter.metrics_format if source is not None and source.filter is not None else None) or ()
    return Collector(
        kind=(given.collector.kind if given.collector is not None else None) or Collector.kind,
        path=(file.path if file is not None else None) or Collector.path,
        file_format=(file.format if file is not None else None) or Collector.file_format,
        filters=tuple(filters) or Collector.filters,
    )
