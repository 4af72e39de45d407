"""What Katib's admission webhook refuses of an Experiment, refused here with the same meaning.

Source: `pkg/webhook/v1beta1/experiment/validator/validator.go` of Katib v0.19. What is no Experiment by its structure
(`shape`) and fields that nothing reads are found too. The trialTemplate and the metrics collector have modules of their
own, and which algorithms there are is known to `boxtune.search`: `boxtune.checking` says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kubeflow_katib_api.models import (
    V1beta1AlgorithmSetting,
    V1beta1EarlyStoppingSetting,
    V1beta1Experiment,
    V1beta1ExperimentSpec,
    V1beta1FeasibleSpace,
    V1beta1MetricsCollectorSpec,
    V1beta1ParameterSpec,
)

from boxtune.experiment.collector_validation import collector_problems
from boxtune.experiment.experiment import DEFAULT_PARALLEL
from boxtune.experiment.job import is_job, job_problems
from boxtune.experiment.metadata_validation import metadata_problems
from boxtune.experiment.shape import leaves, read_model, shape_problems
from boxtune.experiment.source import JsonObject
from boxtune.experiment.template_validation import template_problems
from boxtune.problems import JOB_REFUSED, REFUSED, Problem, error, errors_of

API_VERSION, KIND = "kubeflow.org/v1beta1", "Experiment"
_LONGEST_NAME = 40
_NAME = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_DOTTED = re.compile(r"[a-z](?=.*\.)[-.a-z0-9]{0,38}[a-z0-9]")
_PREFIX = re.compile(r"[a-z][-a-z0-9]*")
_GENERATED = 5  # characters that the API server puts behind generateName
_TYPES = ("double", "int", "discrete", "categorical")
_UNKNOWN = "unknown"  # which Katib takes for a type and for a distribution
_DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal")
_STRATEGIES = ("min", "max", "latest")
_RESUME_POLICIES = ("Never", "LongRunning", "FromVolume")
_TRIAL_SPEC, _SOURCES = "spec.trialTemplate.trialSpec", {"trialSpec", "configMap"}
_NO_SUGGESTION = "accepted; no suggestion ever comes"
# What was written by the cluster once, and is ignored: nothing to tell anybody.
_CLUSTER_S = ("status.", "metadata.managedFields.", "metadata.clusterName", "metadata.initializers")


def problems(raw: JsonObject, config_maps: Mapping[str, Mapping[str, str]]) -> Iterator[Problem]:
    """Everything that is wrong with an Experiment for Katib: errors, and warnings of fields that are ignored.

    Args:
        config_maps: data of the ConfigMaps in the same file, by name and key: one may hold the trial's template.
    """
    given = raw.get("apiVersion")
    if given != API_VERSION:
        what = f"{given} is unknown to Katib v0.19" if given is not None else "must be given"
        yield error("apiVersion", what, f"write {API_VERSION}", "kubectl refuses the file")
        return
    wrong = list(_structure(raw))
    yield from wrong
    if any(not each.path.startswith(_TRIAL_SPEC) or each.on_katib == REFUSED for each in errors_of(wrong)):
        return
    model = read_model(V1beta1Experiment, raw)
    metadata = model.metadata
    yield from _name((metadata.name or "", metadata.generate_name or "") if metadata is not None else ("", ""))
    spec = model.spec or V1beta1ExperimentSpec()
    yield from metadata_problems(raw.get("metadata"), "metadata", REFUSED)
    yield from _counts(spec)
    yield from _objective(spec)
    yield from _algorithm(spec)
    if spec.resume_policy and spec.resume_policy not in _RESUME_POLICIES:
        yield _refused("spec.resumePolicy", f"{spec.resume_policy} must be {_or(_RESUME_POLICIES)}")
    yield from _parameters(spec)
    yield from template_problems(spec, config_maps)
    yield from collector_problems(spec.metrics_collector_spec or V1beta1MetricsCollectorSpec())


def _refused(path: str, what: str, right: str = "") -> Problem:
    return error(path, what, right, REFUSED)


def _or(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"


def _structure(raw: JsonObject) -> Iterator[Problem]:
    """Wrong types and unknown fields, of the Experiment and of its Job."""
    yield from _not_finite(raw)
    wrong = [_by_the_server(each) for each in shape_problems(V1beta1Experiment, raw, "") if not _is_the_cluster_s(each)]
    template = (raw.get("spec") or {}).get("trialTemplate") if isinstance(raw.get("spec"), Mapping) else None
    if isinstance(template, Mapping) and "goTemplate" in template and not template.keys() & _SOURCES:
        what = "is of Katib v1alpha3"
        instead = "write trialSpec, trialParameters and primaryContainerName instead"
        yield _refused("spec.trialTemplate.goTemplate", what, instead)
        return
    yield from wrong
    if any(each.on_katib == REFUSED for each in wrong):
        return
    job = (template or {}).get("trialSpec") or {}
    if is_job(job):
        yield from job_problems(job, _TRIAL_SPEC)


def _is_the_cluster_s(problem: Problem) -> bool:
    return problem.severity == "warning" and problem.path.startswith(_CLUSTER_S)


def _by_the_server(problem: Problem) -> Problem:
    """What is wrong with metadata is refused before there is an Experiment."""
    is_metadata = problem.on_katib == JOB_REFUSED and problem.path.startswith("metadata.")
    return replace(problem, on_katib=REFUSED) if is_metadata else problem


def _not_finite(raw: JsonObject) -> Iterator[Problem]:
    """Numbers that JSON does not have, by which kubectl hands on what it read."""
    for path, leaf in leaves(raw, ""):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            yield error(path, f"{leaf} must be a finite number, or in quotes", "", "kubectl refuses the file")


def _name(names: tuple[str, str]) -> Iterator[Problem]:
    """Of metadata's `name`, or `generateName` where that is left out."""
    name, prefix = names
    if prefix and not name:
        if not _PREFIX.fullmatch(prefix) or len(prefix) > _LONGEST_NAME - _GENERATED:
            what = f'"{prefix}": at most {_LONGEST_NAME - _GENERATED} of a-z, 0-9 and "-", beginning with a letter'
            yield _refused("metadata.generateName", what)
        return
    if _NAME.match(name) and len(name) <= _LONGEST_NAME:
        return
    # No Service can have a dot in its name, and the webhook does not look.
    comes = "accepted; no Service can have this name, and no suggestion ever comes"
    yield error(
        "metadata.name",
        f'"{name}": at most {_LONGEST_NAME} of a-z, 0-9 and "-", beginning with a letter, not ending with "-"',
        "",
        comes if _DOTTED.fullmatch(name) else REFUSED,
    )


def _counts(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    most, parallel, failed = spec.max_trial_count, spec.parallel_trial_count, spec.max_failed_trial_count
    if failed is not None and failed < 0:
        yield _refused("spec.maxFailedTrialCount", f"{failed} must not be below 0")
    if most is not None and most <= 0:
        yield _refused("spec.maxTrialCount", f"{most} must be above 0")
    if parallel is not None and parallel <= 0:
        yield _refused("spec.parallelTrialCount", f"{parallel} must be above 0")
    if parallel is None and most is not None and most < DEFAULT_PARALLEL:
        what = f"left out means {DEFAULT_PARALLEL}, which must not be above spec.maxTrialCount ({most})"
        yield _refused("spec.parallelTrialCount", what, f"write parallelTrialCount: {max(most, 1)}")
    for name, value in (("maxFailedTrialCount", failed), ("parallelTrialCount", parallel)):
        if value is not None and most is not None and value > most:
            yield _refused(f"spec.{name}", f"{value} must not be above spec.maxTrialCount ({most})")


def _objective(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    objective, where = spec.objective, "spec.objective"
    if objective is None or not objective.model_dump(exclude_none=True):
        yield _refused(where, "must be given")
        return
    if objective.type not in ("minimize", "maximize"):
        yield _refused(f"{where}.type", f"{objective.type} must be minimize or maximize")
    if not objective.objective_metric_name:
        yield _refused(f"{where}.objectiveMetricName", "must be given")
    elif objective.objective_metric_name in (objective.additional_metric_names or ()):
        yield _refused(f"{where}.additionalMetricNames", "must not contain the objectiveMetricName")
    for number, each in enumerate(objective.metric_strategies or ()):
        if each.value not in _STRATEGIES:
            yield error(
                f"{where}.metricStrategies.{number}.value",
                f"{each.value or 'left out'}; must be {_or(_STRATEGIES)}",
                "",
                "accepted; the metric never has a value",
            )


def _algorithm(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    if spec.algorithm is None or not spec.algorithm.algorithm_name:
        yield _refused("spec.algorithm.algorithmName", "must be given")
    if spec.algorithm is not None:
        yield from _settings(spec.algorithm.algorithm_settings, "spec.algorithm")
    stopping = spec.early_stopping
    if stopping is not None:
        if stopping.algorithm_name != "medianstop":
            yield _refused("spec.earlyStopping.algorithmName", "Katib has medianstop")
        yield from _settings(stopping.algorithm_settings, "spec.earlyStopping")


def _settings(
    given: Iterable[V1beta1AlgorithmSetting | V1beta1EarlyStoppingSetting] | None, path: str
) -> Iterator[Problem]:
    for number, each in enumerate(given or ()):
        for field, value in (("name", each.name), ("value", each.value)):
            if not value:
                where = f"{path}.algorithmSettings.{number}.{field}"
                yield error(where, "must be given", "", "accepted; the algorithm's service refuses it")


def _parameters(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    if not spec.parameters and spec.nas_config is None:
        yield _refused("spec.parameters", "must be given")
    if spec.parameters and spec.nas_config is not None:
        yield _refused("spec.nasConfig", "must not be given beside spec.parameters")
    for number, parameter in enumerate(spec.parameters or ()):
        yield from _parameter(parameter, f"spec.parameters.{number}")


def _parameter(parameter: V1beta1ParameterSpec, where: str) -> Iterator[Problem]:
    kind, space = parameter.parameter_type, parameter.feasible_space or V1beta1FeasibleSpace()
    if kind not in _TYPES:
        comes = _NO_SUGGESTION if kind == _UNKNOWN else REFUSED
        yield error(f"{where}.parameterType", f"{kind or 'left out'}; must be {_or(_TYPES)}", "", comes)
    if not parameter.name:
        yield error(f"{where}.name", "must be given", "", _NO_SUGGESTION)
    if space.distribution and space.distribution not in (*_DISTRIBUTIONS, _UNKNOWN):
        yield _refused(
            f"{where}.feasibleSpace.distribution", f"{space.distribution} must be one of {', '.join(_DISTRIBUTIONS)}"
        )
    if kind in ("double", "int"):
        if space.list:
            yield _refused(f"{where}.feasibleSpace.list", f"a {kind} has min and max instead")
        if not space.min or not space.max:
            yield _refused(f"{where}.feasibleSpace", f"a {kind} needs min and max")
    elif kind in ("categorical", "discrete") and any((space.min, space.max, space.step)):
        yield _refused(f"{where}.feasibleSpace", f"a {kind} parameter has a list instead of min, max and step")
    elif not space.model_dump(exclude_none=True):
        yield error(f"{where}.feasibleSpace", "must be given", "", _NO_SUGGESTION)
