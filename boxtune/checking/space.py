"""The search space and the algorithm: what cannot be searched, and what Katib would search differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from boxtune.checking.finding import Finding, error, warning
from boxtune.errors import ExperimentError
from boxtune.experiment.model import Experiment
from boxtune.experiment.space import ParameterSpec
from boxtune.search.catalogue import ALGORITHMS, create_search
from boxtune.search.grid import Grid

_WHERE = "spec.parameters"
_SHELL_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_KATIB_S_OWN = ("hyperband", "pbt", "enas", "darts")
# Which program serves an algorithm in Katib v0.19's own katib-config.
_SERVICES = {
    "random": "hyperopt",
    "tpe": "hyperopt",
    "grid": "Optuna",
    "multivariate-tpe": "Optuna",
    "bayesianoptimization": "scikit-optimize",
    "cmaes": "goptuna",
    "sobol": "goptuna",
}


def parameter_findings(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Parameters from which nothing could be suggested, and names that stand twice."""
    seen: set[str] = set()
    for number, parameter in enumerate(raw["spec"].get("parameters") or []):
        path, name = f"{_WHERE}.{number}", parameter["name"]
        try:
            ParameterSpec.parse(parameter)
        except ExperimentError as problem:
            text = str(problem).removeprefix(f"parameter {name}: ")
            yield error(f"{path}.feasibleSpace", text, "accepted; then no suggestion ever comes")
        if name in seen:
            yield error(f"{path}.name", f"{name} stands twice", "accepted; one of the two is searched")
        seen.add(name)


def space_findings(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Values that do not reach the trial as they are, ranges of one value, lists with repetitions."""
    for number, parameter in enumerate(raw["spec"].get("parameters") or []):
        path = f"{_WHERE}.{number}.feasibleSpace"
        space = parameter.get("feasibleSpace") or {}
        values = space.get("list") or []
        for place, value in enumerate(values):
            if not _SHELL_SAFE.fullmatch(value):
                yield error(
                    f"{path}.list.{place}",
                    f'"{value}" has characters that a shell reads; use letters, digits and @%+=:,./_-',
                    "the trial's command is one unquoted shell line, which they break",
                )
        if len(set(values)) < len(values):
            yield warning(f"{path}.list", "a value stands twice", "it is tried twice as often")
        if values and space.get("distribution") not in (None, "", "uniform"):
            yield warning(f"{path}.distribution", "means nothing for a list", "it is ignored")
        only = len(set(values)) == 1 or (space.get("min") and space.get("min") == space.get("max"))
        if only:
            yield warning(path, f"{parameter['name']} has one value only, so nothing is searched; write it in the args")


def algorithm_findings(experiment: Experiment) -> Iterator[Finding]:
    """Settings and spaces that the algorithm does not take."""
    where = "spec.algorithm"
    if experiment.algorithm in _KATIB_S_OWN:
        yield warning(f"{where}.algorithmName", f"{experiment.algorithm} runs on Katib only; boxtune run refuses it")
        return
    if experiment.algorithm not in ALGORITHMS:
        return  # validation said so
    try:
        create_search(experiment)
    except ExperimentError as problem:
        text = str(problem)
        path = f"{where}.algorithmSettings" if text.startswith("algorithmSettings") else where
        yield error(
            path, text.removeprefix("algorithmSettings: "), "the algorithm's service refuses it, the Experiment fails"
        )
        return
    most, finite = experiment.counts.most, all(spec.count is not None for spec in experiment.parameters)
    if most is not None and finite:
        size = Grid(experiment.parameters).size
        if most > size and experiment.algorithm == "grid":
            yield error(
                "spec.maxTrialCount",
                f"{most} trials, but the grid has {size} points; write {size}",
                "the algorithm's service refuses it, the Experiment fails",
            )
        elif most > size:
            yield warning(
                "spec.maxTrialCount",
                f"{most} trials, but the space has {size} points; a local run ends once all were tried",
                "points are tried again",
            )


def katib_findings(experiment: Experiment) -> Iterator[Finding]:
    """Where Katib's own service would search something else than the Experiment says (`--katib`)."""
    service = _SERVICES.get(experiment.algorithm)
    check = _BY_SERVICE.get(service or "")
    if check is None:
        return
    for number, spec in enumerate(experiment.parameters):
        if spec.parameter_type in ("double", "int"):
            yield from check(f"{_WHERE}.{number}.feasibleSpace", spec)


def _hyperopt(path: str, spec: ParameterSpec) -> Iterator[Finding]:
    if spec.distribution in ("normal", "logNormal"):
        yield warning(
            path,
            f"{spec.name} is {spec.distribution}, cut to min..max here",
            "hyperopt does not cut: about three values in a thousand lie outside; use uniform or logUniform",
        )
    if spec.step is not None and (spec.low / spec.step) % 1:
        yield warning(
            path,
            f"{spec.name} is searched at min plus multiples of step",
            "hyperopt rounds to multiples of step, whatever min is, and can leave the range; "
            "choose a min that is a multiple",
        )


def _skopt(path: str, spec: ParameterSpec) -> Iterator[Finding]:
    if spec.parameter_type == "double" and spec.low <= 0:
        yield error(
            path,
            f"{spec.name} begins at {spec.low:g}; choose a min above 0, or another algorithm",
            "scikit-optimize's service makes every double logarithmic, and fails at 0",
        )
    elif spec.parameter_type == "double" and spec.distribution != "logUniform":
        yield warning(
            path,
            f"{spec.name} is {spec.distribution}",
            "scikit-optimize's service searches every double on a logarithmic scale",
        )
    elif spec.parameter_type == "int" and spec.distribution != "uniform":
        yield warning(path, f"{spec.name} is {spec.distribution}", "scikit-optimize's service searches it uniformly")
    if spec.step is not None and spec.step != 1:
        yield warning(path, f"{spec.name} has a step", "scikit-optimize's service ignores step; use discrete")


def _goptuna(path: str, spec: ParameterSpec) -> Iterator[Finding]:
    if spec.distribution != "uniform":
        yield warning(
            path,
            f"{spec.name} is {spec.distribution}",
            "goptuna ignores distribution and searches it uniformly; random and tpe do not",
        )


def _optuna(path: str, spec: ParameterSpec) -> Iterator[Finding]:
    if spec.distribution in ("normal", "logNormal"):
        yield error(
            path,
            f"{spec.name} is {spec.distribution}; use uniform or logUniform",
            "Optuna's service knows neither normal nor logNormal, and fails",
        )
    elif spec.distribution == "logUniform" and spec.step not in (None, 1.0):
        yield warning(path, f"{spec.name} has a step on a logarithmic scale", "Optuna's service ignores the step")


_Check = Callable[[str, ParameterSpec], Iterator[Finding]]
_BY_SERVICE: Mapping[str, _Check] = {
    "hyperopt": _hyperopt,
    "scikit-optimize": _skopt,
    "goptuna": _goptuna,
    "Optuna": _optuna,
}


def shell_safe(text: str) -> bool:
    """Whether a shell leaves `text` as it is."""
    return _SHELL_SAFE.fullmatch(text) is not None
