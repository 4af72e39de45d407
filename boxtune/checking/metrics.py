"""Whether the metrics that the Experiment names are printed, and read, as it wants them."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from boxtune.experiment.experiment import DEFAULT_FILTER, Experiment
from boxtune.experiment.trial_command import TrialCommand
from boxtune.problems import Problem, error, warning
from trial_entry.contract.metrics import is_metric, is_share, less_is_better, nearest_metric

_LINE = "2026-11-24T10:00:00.123456Z {name}=0.3127"


def metric_problems(experiment: Experiment, command: TrialCommand | None) -> Iterator[Problem]:
    """Names, filters, strategies, goal and early stopping."""
    own = command is not None and command.is_own
    if own or experiment.collector.filters == (DEFAULT_FILTER,):
        yield from _filters(experiment)
    yield from _strategies(experiment)
    if own and command is not None:
        yield from _names(experiment)
        yield from _direction(experiment)
        yield from _collector(experiment)
        yield from _early_stopping(experiment, command)
    counts = experiment.counts
    if counts.most is None and experiment.objective.goal is None:
        yield warning("spec.maxTrialCount", "neither maxTrialCount nor a goal: the search never ends")


def _filters(experiment: Experiment) -> Iterator[Problem]:
    """Metrics that no filter finds in `NAME=0.3127`: what trial_entry prints, and what the default filter is for.

    How another program prints its metrics is not known here, so that nothing can be said of a filter that is its own.
    """
    if experiment.collector.kind not in ("StdOut", "File") or experiment.collector.file_format == "JSON":
        return
    try:
        expressions = [re2.compile(text) for text in experiment.collector.filters]
    except re2.error:
        return  # validation said so
    for name in experiment.objective.metrics:
        line = _LINE.format(name=name)
        found = [(match.group(1), match.group(2)) for each in expressions for match in each.finditer(line)]
        if (name, "0.3127") in [(each.strip(), value.strip()) for each, value in found if each and value]:
            continue
        read = f"it reads {', '.join(str(each) for each, _ in found)}" if found else "it reads nothing"
        own = experiment.collector.filters != (DEFAULT_FILTER,)
        yield error(
            "spec.metricsCollectorSpec" if own else "spec.objective",
            f"the collector's filter does not find {name} in the line {name}=0.3127 ({read})",
            "use letters, digits, _ and - in names, and a filter with a group for the name and one for the value",
            "the trial ends as MetricsUnavailable" if name == experiment.objective.metric else "it is never recorded",
        )


def _strategies(experiment: Experiment) -> Iterator[Problem]:
    missing = [name for name in experiment.objective.metrics if name not in experiment.objective.given_strategies]
    if missing:
        best = "max" if experiment.objective.maximize else "min"
        yield warning(
            "spec.objective.metricStrategies",
            f"none for {', '.join(missing)}: the {best} that each metric ever had counts, "
            "whatever checkpoint it came from",
            "write latest",
        )
    for number, name in enumerate(experiment.objective.given_strategies):
        if name not in experiment.objective.metrics:
            path = f"spec.objective.metricStrategies.{number}"
            yield warning(path, f"{name or 'one without a name'} is none of the metrics", "", "it is ignored")


def _names(experiment: Experiment) -> Iterator[Problem]:
    for number, name in enumerate(experiment.objective.metrics):
        if is_metric(name):
            continue
        what, nearest = f"{name} is no metric that a trial prints", nearest_metric(name)
        if number == 0:
            path, comes = "spec.objective.objectiveMetricName", "every trial ends as MetricsUnavailable"
            yield error(path, what, nearest, comes)
        else:
            path = f"spec.objective.additionalMetricNames.{number - 1}"
            yield warning(path, what, nearest, "it is shown as unavailable")


def _direction(experiment: Experiment) -> Iterator[Problem]:
    objective = experiment.objective
    if objective.maximize and less_is_better(objective.metric):
        yield warning("spec.objective.type", f"maximize, but less of {objective.metric} is better")
    if not objective.maximize and is_share(objective.metric):
        yield warning("spec.objective.type", f"minimize, but more of {objective.metric} is better")
    if objective.goal is not None and is_share(objective.metric) and not 0 <= objective.goal <= 1:
        what = f"{objective.goal:g}, but {objective.metric} lies from 0 to 1"
        yield error("spec.objective.goal", what, "", "it is never reached")


def _collector(experiment: Experiment) -> Iterator[Problem]:
    if experiment.collector.kind != "StdOut":
        yield error(
            "spec.metricsCollectorSpec.collector.kind",
            f"{experiment.collector.kind}, but trial_entry prints its metrics",
            "use StdOut",
            "every trial ends as MetricsUnavailable",
        )


def _early_stopping(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    evaluates = any(
        text.startswith("--eval_every_n") and not text.endswith(("=0", "--eval_every_n")) for text in command.arguments
    )
    if experiment.early_stopping and not evaluates:
        yield warning(
            "spec.earlyStopping",
            "each trial is evaluated at its end only, so none can be stopped early",
            "add --eval_every_n=N to its args",
        )
