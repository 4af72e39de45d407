"""Checking's knowledge of Katib's own suggestion services: spaces on which they never answer, or search something else.

Source: `pkg/suggestion/v1beta1` of Katib v0.19 with hyperopt 0.2.5, Optuna 3.3, scikit-optimize 0.9 and goptuna 0.8;
these very services were asked what is said here (tests/boxtune/checking/services.tsv).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import JsonObject
from boxtune.experiment.space import ParameterSpec
from boxtune.problems import Problem, error, warning

# Which program serves an algorithm in Katib v0.19's own katib-config.
SERVICES = {
    "random": "hyperopt",
    "grid": "Optuna",
    "bayesianoptimization": "scikit-optimize",
    "tpe": "hyperopt",
    "multivariate-tpe": "Optuna",
    "cmaes": "goptuna",
    "sobol": "goptuna",
    "hyperband": "hyperband",
}
SERVICE_REFUSES = "the algorithm's service refuses it, the Experiment fails"
_NEVER = "accepted; then no suggestion ever comes"
_WHOLE = re.compile(r"[+-]?[0-9]+")
_MOST_POINTS = 1_000_000


def service_errors(experiment: Experiment) -> Iterator[Problem]:
    """Spaces for which the algorithm's service in Katib never has a suggestion."""
    service = SERVICES.get(experiment.algorithm)
    if service is None:
        return
    for number, spec in enumerate(experiment.parameters):
        path, space = f"spec.parameters.{number}.feasibleSpace", _space(experiment, number)
        if spec.parameter_type in ("double", "int"):
            yield from _of_range(path, service, spec, experiment)
        if spec.parameter_type == "int":
            yield from _whole_numbers(path, service, space, experiment.algorithm)
        if service == "scikit-optimize":
            twice = [value for value, times in Counter(space.get("list") or ()).items() if times > 1]
            if twice:
                what = f"{twice[0]} stands twice, and scikit-optimize's service fails on it"
                yield error(f"{path}.list", what, "name each value once", _NEVER)


def _space(experiment: Experiment, number: int) -> JsonObject:
    """The feasibleSpace as it is written."""
    space: JsonObject = experiment.raw["spec"]["parameters"][number]["feasibleSpace"]
    return space


def _of_range(path: str, service: str, spec: ParameterSpec, experiment: Experiment) -> Iterator[Problem]:
    """One range."""
    fixed, normal = spec.low == spec.high, spec.distribution in ("normal", "logNormal")
    if fixed and _fails_on_one_value(service, spec, experiment):
        yield error(
            path,
            f"{spec.name} has one value only, on which {service}'s service fails",
            "write it in the args and leave the parameter out",
            _NEVER,
        )
    if service == "scikit-optimize" and spec.parameter_type == "double" and spec.low <= 0:
        yield error(
            path,
            f"{spec.name} begins at {spec.low:g}",
            "choose a min above 0, or another algorithm",
            "scikit-optimize's service makes every double logarithmic, and fails at 0",
        )
    if service == "Optuna" and normal:
        yield error(
            path,
            f"{spec.name} is {spec.distribution}",
            "use uniform or logUniform",
            "Optuna's service knows neither normal nor logNormal: no trial has a value for it, so none is created",
        )
    if experiment.algorithm == "grid" and spec.parameter_type == "double" and spec.step is None and fixed:
        what = f"{spec.name}: grid needs a feasibleSpace.step for every double"
        yield error(path, what, "write it in the args and leave the parameter out", SERVICE_REFUSES)


def _fails_on_one_value(service: str, spec: ParameterSpec, experiment: Experiment) -> bool:
    if service == "hyperopt":
        return experiment.algorithm == "tpe" or spec.distribution in ("uniform", "logUniform")
    return service == "scikit-optimize" or (experiment.algorithm == "cmaes" and "sigma" not in experiment.settings)


def _whole_numbers(path: str, service: str, space: JsonObject, algorithm: str) -> Iterator[Problem]:
    """Ints that are written as decimals: all but hyperopt read them as whole numbers, in digits alone."""
    ends = ("min", "max")
    fields = {"hyperopt": (), "scikit-optimize": ends, "hyperband": ends}.get(service, ("min", "max", "step"))
    for name in fields:
        text = space.get(name)
        if text and not _WHOLE.fullmatch(text):
            yield error(
                f"{path}.{name}",
                f'"{text}" is no whole number for {service}\'s service',
                f'write "{int(float(text))}"',
                SERVICE_REFUSES if algorithm == "grid" else _NEVER,
            )


def grid_size(experiment: Experiment) -> int:
    """The points of a grid as Optuna's service counts them; a grid of more than a million counts as endless."""
    size = 1
    for number, spec in enumerate(experiment.parameters):
        size *= _values(spec, _space(experiment, number))
        if size > _MOST_POINTS:
            return size
    return size


def _values(spec: ParameterSpec, space: JsonObject) -> int:
    """`convert_to_combinations` of internal/search_space.py; the errors of its floats included."""
    if spec.values:
        return len(space["list"])
    if spec.parameter_type == "int":
        return len(range(int(spec.low), int(spec.high) + 1, int(spec.step or 1)))
    step = spec.step or math.inf
    if (spec.high - spec.low) / step > _MOST_POINTS:
        return _MOST_POINTS + 1
    values = np.arange(spec.low, spec.high + step, step) if math.isfinite(step) else np.array([spec.low])
    return len(values) - int(values[-1] > spec.high)


def katib_problems(experiment: Experiment) -> Iterator[Problem]:
    """Where Katib's own service would search something else than the Experiment says (`--katib`)."""
    service = SERVICES.get(experiment.algorithm)
    check = _BY_SERVICE.get(service or "")
    if check is None:
        return
    for number, spec in enumerate(experiment.parameters):
        if spec.parameter_type in ("double", "int"):
            yield from check(f"spec.parameters.{number}.feasibleSpace", spec)


def _hyperopt(path: str, spec: ParameterSpec) -> Iterator[Problem]:
    if spec.distribution in ("normal", "logNormal"):
        yield warning(
            path,
            f"{spec.name} is {spec.distribution}, cut to min..max here",
            "use uniform or logUniform",
            "hyperopt does not cut: about three values in a thousand lie outside",
        )
    if spec.step is not None and (spec.low / spec.step) % 1:
        yield warning(
            path,
            f"{spec.name} is searched at min plus multiples of step",
            "choose a min that is a multiple",
            "hyperopt rounds to multiples of step, whatever min is, and can leave the range",
        )


def _skopt(path: str, spec: ParameterSpec) -> Iterator[Problem]:
    if spec.parameter_type == "double" and spec.low > 0 and spec.distribution != "logUniform":
        yield warning(
            path,
            f"{spec.name} is {spec.distribution}",
            "",
            "scikit-optimize's service searches every double on a logarithmic scale",
        )
    elif spec.parameter_type == "int" and spec.distribution != "uniform":
        what = f"{spec.name} is {spec.distribution}"
        yield warning(path, what, "", "scikit-optimize's service searches it uniformly")
    if spec.step is not None and spec.step != 1:
        yield warning(path, f"{spec.name} has a step", "use discrete", "scikit-optimize's service ignores step")


def _goptuna(path: str, spec: ParameterSpec) -> Iterator[Problem]:
    if spec.distribution != "uniform":
        yield warning(
            path,
            f"{spec.name} is {spec.distribution}",
            "random and tpe take it",
            "goptuna ignores distribution and searches it uniformly",
        )


def _optuna(path: str, spec: ParameterSpec) -> Iterator[Problem]:
    if spec.distribution == "logUniform" and spec.step not in (None, 1.0):
        yield warning(path, f"{spec.name} has a step on a logarithmic scale", "", "Optuna's service ignores the step")


_Check = Callable[[str, ParameterSpec], Iterator[Problem]]
_BY_SERVICE: Mapping[str, _Check] = {
    "hyperopt": _hyperopt,
    "scikit-optimize": _skopt,
    "goptuna": _goptuna,
    "Optuna": _optuna,
}
