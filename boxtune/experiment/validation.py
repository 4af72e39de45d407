"""What Katib's admission webhook refuses of an Experiment, refused here with the same meaning.

Source: `pkg/webhook/v1beta1/experiment/validator/validator.go` of Katib v0.19. What is no Experiment by its structure
(`shape`) and fields that nothing reads are found too. The trialTemplate has a module of its own, and which algorithms
there are is known to `boxtune.search`: `boxtune.checking` says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from kubeflow_katib_api.models import (
    V1beta1AlgorithmSetting,
    V1beta1EarlyStoppingSetting,
    V1beta1Experiment,
    V1beta1ExperimentSpec,
    V1beta1FeasibleSpace,
    V1beta1MetricsCollectorSpec,
    V1beta1ParameterSpec,
)

from boxtune.experiment.job import is_job, job_problems
from boxtune.experiment.shape import read_model, shape_problems
from boxtune.experiment.source import JsonObject
from boxtune.experiment.template_validation import template_problems
from boxtune.problems import REFUSED, Problem, error

COLLECTORS = ("StdOut", "File", "TensorFlowEvent", "PrometheusMetric", "Custom", "Push")
API_VERSION, KIND = "kubeflow.org/v1beta1", "Experiment"
_LONGEST_NAME = 40
_NAME = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_DOTTED = re.compile(r"[a-z](?=.*\.)[-.a-z0-9]{0,38}[a-z0-9]")
_TWO_GROUPS = re.compile(r".*\(.*\).*\(.*\).*")
_DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal")
_STRATEGIES = ("min", "max", "latest")
_RESUME_POLICIES = ("Never", "LongRunning", "FromVolume")


def problems(raw: JsonObject) -> Iterator[Problem]:
    """Everything that is wrong with an Experiment for Katib; all of it errors."""
    if raw.get("kind") != KIND or raw.get("apiVersion") != API_VERSION:
        yield _refused("", f"apiVersion and kind must be {API_VERSION} and {KIND}")
        return
    wrong = list(_structure(raw))
    yield from wrong
    if wrong:
        return
    model = read_model(V1beta1Experiment, raw)
    yield from _name((model.metadata.name if model.metadata is not None else None) or "")
    spec = model.spec or V1beta1ExperimentSpec()
    yield from _counts(spec)
    yield from _objective(spec)
    yield from _algorithm(spec)
    if spec.resume_policy and spec.resume_policy not in _RESUME_POLICIES:
        yield _refused("spec.resumePolicy", f"{spec.resume_policy} must be {_or(_RESUME_POLICIES)}")
    yield from _parameters(spec)
    yield from template_problems(spec)
    yield from _collector(spec.metrics_collector_spec or V1beta1MetricsCollectorSpec())


def _refused(path: str, what: str, right: str = "") -> Problem:
    return error(path, what, right, REFUSED)


def _or(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"


def _structure(raw: JsonObject) -> Iterator[Problem]:
    """Wrong types and unknown fields, of the Experiment and of its Job."""
    wrong = list(shape_problems(V1beta1Experiment, raw, ""))
    yield from wrong
    if any(each.on_katib == REFUSED for each in wrong):
        return
    job = ((raw.get("spec") or {}).get("trialTemplate") or {}).get("trialSpec") or {}
    if is_job(job):
        yield from job_problems(job, "spec.trialTemplate.trialSpec")


def _name(name: str) -> Iterator[Problem]:
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
    if objective.goal is not None and not math.isfinite(objective.goal):
        yield _refused(f"{where}.goal", f"{objective.goal} must be a finite number")
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
    if kind not in ("int", "double", "categorical", "discrete"):
        yield _refused(f"{where}.parameterType", f"{kind} must be double, int, discrete or categorical")
    if not parameter.name:
        yield _refused(f"{where}.name", "must be given")
    if space.distribution and space.distribution not in _DISTRIBUTIONS:
        yield _refused(
            f"{where}.feasibleSpace.distribution", f"{space.distribution} must be one of {', '.join(_DISTRIBUTIONS)}"
        )
    if not space.model_dump(exclude_none=True):
        yield _refused(f"{where}.feasibleSpace", "must be given")
    elif kind in ("double", "int"):
        if space.list:
            yield _refused(f"{where}.feasibleSpace.list", f"a {kind} has min and max instead")
        if not space.min or not space.max:
            yield _refused(f"{where}.feasibleSpace", f"a {kind} needs min and max")
    elif kind in ("categorical", "discrete") and any((space.min, space.max, space.step)):
        yield _refused(f"{where}.feasibleSpace", f"a {kind} parameter has a list instead of min, max and step")


def _collector(given: V1beta1MetricsCollectorSpec) -> Iterator[Problem]:
    where = "spec.metricsCollectorSpec"
    kind = (given.collector.kind if given.collector is not None else None) or "StdOut"
    if kind not in COLLECTORS:
        yield _refused(f"{where}.collector.kind", f"{kind} must be one of {', '.join(COLLECTORS)}")
    file = given.source.file_system_path if given.source is not None else None
    if kind in ("File", "TensorFlowEvent") and file is not None and file.path and not file.path.startswith("/"):
        yield _refused(f"{where}.source.fileSystemPath.path", f"{file.path} must be absolute")
    filters = given.source.filter if given.source is not None else None
    formats = (filters.metrics_format if filters is not None else None) or ()
    if formats and file is not None and file.format == "JSON":
        yield _refused(f"{where}.source.filter", "must be left out for JSON")
    for number, text in enumerate(formats):
        yield from _metrics_format(text, kind, f"{where}.source.filter.metricsFormat.{number}")


def _metrics_format(text: str, kind: str, where: str) -> Iterator[Problem]:
    import re2

    # The webhook looks at the filters of other collectors alone.
    comes = "accepted; no metric is ever read" if kind == "StdOut" else REFUSED
    quiet = re2.Options()
    quiet.log_errors = False
    try:
        re2.compile(text, quiet)
    except re2.error as wrong:
        said = wrong.args[0].decode() if isinstance(wrong.args[0], bytes) else str(wrong)
        yield error(where, f"{text}: not a regular expression of RE2: {said}", "", comes)
        return
    if not _TWO_GROUPS.match(text):
        yield error(where, f"{text}: needs two groups, one for the name and one for the value", "", comes)
