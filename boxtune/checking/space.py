"""The search space and the algorithm: what cannot be searched, and what Katib would search differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from kubeflow_katib_api.models import V1beta1ExperimentSpec

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import ParameterSpec
from boxtune.problems import REFUSED, Problem, error, warning
from boxtune.search.catalogue import ALGORITHMS, create_policy
from boxtune.search.grid_points import GridPoints
from trial_entry.pipeline_config.values import same_value

_WHERE = "spec.parameters"
_SHELL_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_KATIB_S_OWN = ("hyperband", "pbt", "enas", "darts")
# Which program serves an algorithm in Katib v0.19's own katib-config.
_SERVICES = {
    "random": "hyperopt",
    "grid": "Optuna",
    "bayesianoptimization": "scikit-optimize",
    "tpe": "hyperopt",
    "multivariate-tpe": "Optuna",
    "cmaes": "goptuna",
    "sobol": "goptuna",
}


def space_problems(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    """Values that do not reach the trial as they are, ranges of one value, lists with repetitions."""
    for number, parameter in enumerate(spec.parameters or ()):
        path, space = f"{_WHERE}.{number}.feasibleSpace", parameter.feasible_space
        values = (space.list if space is not None else None) or []
        for place, value in enumerate(values):
            if not shell_safe(value):
                yield error(
                    f"{path}.list.{place}",
                    f'"{value}" has characters that a shell reads',
                    "use letters, digits and @%+=:,./_-",
                    "the trial's command is one unquoted shell line, which they break",
                )
        if any(same_value(one, other) for one, other in combinations(values, 2)):
            yield warning(f"{path}.list", "a value stands twice", "", "it is tried twice as often")
        if space is not None and values and space.distribution not in (None, "", "uniform"):
            yield warning(f"{path}.distribution", "means nothing for a list", "", "it is ignored")
        single = space is not None and bool(space.min) and space.min == space.max
        if len(set(values)) == 1 or single:
            yield warning(path, f"{parameter.name} has one value only, so nothing is searched", "write it in the args")


def algorithm_problems(experiment: Experiment) -> Iterator[Problem]:
    """An algorithm that there is none of, here or in Katib; settings and spaces that it does not take."""
    where, name = "spec.algorithm", experiment.algorithm
    if name in _KATIB_S_OWN:
        yield warning(f"{where}.algorithmName", f"{name} runs on Katib only; boxtune run refuses it")
        return
    if name not in ALGORITHMS:
        there_are = ", ".join((*_SERVICES, *_KATIB_S_OWN))
        yield error(f"{where}.algorithmName", f"{name} is none; Katib has {there_are}", "", REFUSED)
        return
    if name not in _SERVICES:
        yield warning(f"{where}.algorithmName", f"{name} is Boxtune's own: boxtune run has it", "", REFUSED)
    try:
        create_policy(experiment)
    except ExperimentError as refused:
        for each in refused.problems or [error(where, str(refused))]:
            yield replace(each, on_katib="the algorithm's service refuses it, the Experiment fails")
        return
    most, finite = experiment.counts.most, all(spec.count is not None for spec in experiment.parameters)
    if most is not None and finite:
        size = GridPoints(experiment.parameters).size
        if most > size and experiment.algorithm == "grid":
            yield error(
                "spec.maxTrialCount",
                f"{most} trials, but the grid has {size} points",
                f"write {size}",
                "the algorithm's service refuses it, the Experiment fails",
            )
        elif most > size:
            yield warning(
                "spec.maxTrialCount",
                f"{most} trials, but the space has {size} points; a local run ends once all were tried",
                "",
                "points are tried again",
            )


def katib_problems(experiment: Experiment) -> Iterator[Problem]:
    """Where Katib's own service would search something else than the Experiment says (`--katib`)."""
    service = _SERVICES.get(experiment.algorithm)
    check = _BY_SERVICE.get(service or "")
    if check is None:
        return
    for number, spec in enumerate(experiment.parameters):
        if spec.parameter_type in ("double", "int"):
            yield from check(f"{_WHERE}.{number}.feasibleSpace", spec)


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
    if spec.parameter_type == "double" and spec.low <= 0:
        yield error(
            path,
            f"{spec.name} begins at {spec.low:g}",
            "choose a min above 0, or another algorithm",
            "scikit-optimize's service makes every double logarithmic, and fails at 0",
        )
    elif spec.parameter_type == "double" and spec.distribution != "logUniform":
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
    if spec.distribution in ("normal", "logNormal"):
        yield error(
            path,
            f"{spec.name} is {spec.distribution}",
            "use uniform or logUniform",
            "Optuna's service knows neither normal nor logNormal, and fails",
        )
    elif spec.distribution == "logUniform" and spec.step not in (None, 1.0):
        yield warning(path, f"{spec.name} has a step on a logarithmic scale", "", "Optuna's service ignores the step")


_Check = Callable[[str, ParameterSpec], Iterator[Problem]]
_BY_SERVICE: Mapping[str, _Check] = {
    "hyperopt": _hyperopt,
    "scikit-optimize": _skopt,
    "goptuna": _goptuna,
    "Optuna": _optuna,
}


def shell_safe(text: str) -> bool:
    """Whether a shell leaves `text` as it is."""
    return _SHELL_SAFE.fullmatch(text) is not None
