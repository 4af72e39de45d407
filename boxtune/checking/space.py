"""Checking's look at the search space and the algorithm: what cannot be searched here, on Katib, or at all."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from kubeflow_katib_api.models import V1beta1ExperimentSpec

from boxtune.checking.katib_hyperband import hyperband_problems
from boxtune.checking.katib_services import SERVICE_REFUSES, SERVICES, grid_size, service_errors
from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.problems import REFUSED, Problem, error, errors_of, warning
from boxtune.search.algorithms.hyperband import RESOURCE
from boxtune.search.catalogue import ALGORITHMS, REFUSED_HERE, SETTINGS, create_policy, settings_elsewhere
from boxtune.search.grid_points import GridPoints
from trial_entry.pipeline_config.values import same_value

_WHERE = "spec.parameters"
_SHELL_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_KATIB_S_OWN = ("pbt", "enas", "darts")


def space_problems(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    """Values that do not reach the trial as they are, ranges of one value, lists with repetitions."""
    for number, parameter in enumerate(spec.parameters or ()):
        path, space = f"{_WHERE}.{number}.feasibleSpace", parameter.feasible_space
        values = (space.list if space is not None else None) or []
        for place, value in enumerate(values):
            if breaks_json(value):
                yield error(
                    f"{path}.list.{place}",
                    f"{json.dumps(value)} has a quote, a backslash or a control character",
                    "leave them out",
                    "accepted; Katib puts the value into the template's JSON as it is, and no trial is ever created",
                )
        if any(same_value(one, other) for one, other in combinations(values, 2)):
            yield warning(f"{path}.list", "a value stands twice", "", "it is tried twice as often")
        if space is not None and values and space.distribution not in (None, "", "uniform"):
            yield warning(f"{path}.distribution", "means nothing for a list", "", "it is ignored")
        if len(set(values)) == 1 and parameter.name != _resource(spec):
            yield _one_value(path, parameter.name or "")


def _resource(spec: V1beta1ExperimentSpec) -> str | None:
    """The parameter that hyperband sets itself, whatever its space is."""
    settings = (spec.algorithm.algorithm_settings if spec.algorithm is not None else None) or ()
    return next((each.value for each in settings if each.name == RESOURCE), None)


def _one_value(path: str, name: str) -> Problem:
    return warning(path, f"{name} has one value only, so nothing is searched", "write it in the args")


def algorithm_problems(experiment: Experiment) -> Iterator[Problem]:
    """An algorithm that there is none of, here or in Katib; settings and spaces that it does not take."""
    where, name = "spec.algorithm", experiment.algorithm
    hanging = list(service_errors(experiment))
    yield from hanging
    for number, spec in enumerate(experiment.parameters):
        path = f"{_WHERE}.{number}.feasibleSpace"
        said = path in {each.path for each in hanging}
        if not spec.values and spec.count == 1 and not said and spec.name != experiment.settings.get(RESOURCE):
            yield _one_value(path, spec.name)
    if name in _KATIB_S_OWN:
        reason = f": {REFUSED_HERE[name]}" if name in REFUSED_HERE else ""
        yield warning(f"{where}.algorithmName", f"{name} runs on Katib only; boxtune run refuses it{reason}")
        return
    if name not in ALGORITHMS:
        there_are = (*SERVICES, *_KATIB_S_OWN)
        near = difflib.get_close_matches(name, there_are, 1, cutoff=0.5)
        nearest = f"the nearest is {near[0]}; " if near else ""
        what = f"{name} is no algorithm of Katib's; {nearest}it has {', '.join(there_are)}"
        yield error(f"{where}.algorithmName", what, "", REFUSED)
        return
    if name not in SERVICES:
        yield warning(f"{where}.algorithmName", f"{name} is Boxtune's own: boxtune run has it", "", REFUSED)
    refused = list(_policy_problems(experiment))
    yield from refused
    if not refused:
        yield from hyperband_problems(experiment)
    if not errors_of(refused) and name != "hyperband":  # which trains a point at several rungs, each a trial
        yield from _trial_count(experiment, bool(hanging))


def _policy_problems(experiment: Experiment) -> Iterator[Problem]:
    """What a local run's policy refuses; a warning where Katib's own service takes it."""
    try:
        create_policy(experiment)
    except ExperimentError as refused:
        taken = {f"{SETTINGS}.{number}" for number in settings_elsewhere(experiment)}
        for each in refused.problems or [error("spec.algorithm", str(refused))]:
            if each.path.rpartition(".")[0] in taken:
                yield replace(each, severity="warning", right="boxtune run refuses it")
            else:
                yield replace(each, on_katib=SERVICE_REFUSES)
        if taken:
            yield from _policy_problems(replace(experiment, settings={}))


def _trial_count(experiment: Experiment, hangs: bool) -> Iterator[Problem]:
    """More trials than the space has points."""
    most, finite = experiment.counts.most, all(spec.count is not None for spec in experiment.parameters)
    if most is not None and finite:
        size = GridPoints(experiment.parameters).size
        there = grid_size(experiment) if experiment.algorithm == "grid" and not hangs else size
        if most > there and experiment.algorithm == "grid":
            lost = f" (its service counts them by numpy.arange, which leaves the last of {size} out)"
            yield error(
                "spec.maxTrialCount",
                f"{most} trials, but the grid has {there} points{lost if there < size else ''}",
                f"write {there}" + (", or a max that is half a step higher" if there < size else ""),
                SERVICE_REFUSES,
            )
        elif most > size:
            yield warning(
                "spec.maxTrialCount",
                f"{most} trials, but the space has {size} points; a local run ends once all were tried",
                "",
                "points are tried again",
            )


def breaks_json(value: str) -> bool:
    """Whether a value is another or none between the quotes of a JSON text (`applyParameters` of generator.go)."""
    return json.dumps(value, ensure_ascii=False) != f'"{value}"'


def shell_safe(text: str) -> bool:
    """Whether a shell leaves `text` as it is."""
    return _SHELL_SAFE.fullmatch(text) is not None
