"""What Katib's admission webhook refuses, refused here with the same meaning.

Source: `pkg/webhook/v1beta1/experiment/validator/validator.go` of Katib v0.19. Unknown fields, which the webhook
lets through and nothing ever reads, are refused too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubeflow_katib_api.models import IoK8sApiCoreV1PodTemplateSpec, V1beta1Experiment
from pydantic import ValidationError

from boxtune.experiment.quantities import quantity_problems

ALGORITHMS = (
    "random", "grid", "bayesianoptimization", "tpe", "multivariate-tpe", "cmaes", "sobol", "hyperband", "pbt", "enas",
    "darts",
)  # fmt: skip
COLLECTORS = ("StdOut", "File", "TensorFlowEvent", "PrometheusMetric", "Custom", "Push")
IGNORED = "there is no such field"
_NAME = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_REFERENCE = re.compile(r"\$\{trialParameters\..+?\}")
_META = re.compile(r"^\$\{trialSpec\.(Name|Namespace|Kind|APIVersion|(Annotations|Labels)\[.+\])\}$")
_TWO_GROUPS = re.compile(r".*\(.*\).*\(.*\).*")
_DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal")
_JOB_SPEC_FIELDS = frozenset(
    (
        "activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "completionMode", "completions", "managedBy",
        "manualSelector", "maxFailedIndexes", "parallelism", "podFailurePolicy", "podReplacementPolicy", "selector",
        "successPolicy", "suspend", "template", "ttlSecondsAfterFinished",
    )
)  # fmt: skip


def problems(raw: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with an Experiment, each one line that begins with the field's path."""
    if raw.get("kind") != "Experiment" or raw.get("apiVersion") != "kubeflow.org/v1beta1":
        yield "apiVersion and kind must be kubeflow.org/v1beta1 and Experiment"
        return
    wrong_types = list(_types(raw))
    yield from wrong_types
    if wrong_types:
        return
    name = (raw.get("metadata") or {}).get("name") or ""
    if not _NAME.match(name) or len(name) > 40:
        yield f'metadata.name "{name}": at most 40 of a-z, 0-9 and "-", beginning with a letter, not ending with "-"'
    spec = raw.get("spec") or {}
    yield from _counts(spec)
    yield from _objective(spec)
    yield from _algorithm(spec)
    if spec.get("resumePolicy") not in (None, "", "Never", "LongRunning", "FromVolume"):
        yield f"spec.resumePolicy {spec['resumePolicy']}: must be Never, LongRunning or FromVolume"
    yield from _parameters(spec)
    yield from _template(spec)
    yield from _collector(spec)


def _types(raw: Mapping[str, Any]) -> Iterator[str]:
    """Wrong types and unknown fields, by Katib's own models."""
    try:
        model = V1beta1Experiment.from_dict(dict(raw))
    except ValidationError as error:
        yield from _explained(error, raw, "")
        return
    assert model is not None
    yield from _unknown(raw, model.to_dict(), "")
    job = ((raw.get("spec") or {}).get("trialTemplate") or {}).get("trialSpec") or {}
    where = "spec.trialTemplate.trialSpec.spec"
    if job.get("kind") != "Job" or job.get("apiVersion") != "batch/v1" or not isinstance(job.get("spec"), dict):
        return
    for field in job["spec"].keys() - _JOB_SPEC_FIELDS:
        yield f"{where}.{field}: a Job has no such field"
    template = job["spec"].get("template") or {}
    try:
        pod = IoK8sApiCoreV1PodTemplateSpec.from_dict(template)
    except ValidationError as error:
        yield from _explained(error, template, f"{where}.template")
        return
    yield from _unknown(template, pod.to_dict() if pod else {}, f"{where}.template")
    yield from quantity_problems(template, f"{where}.template")


def _explained(error: ValidationError, raw: Any, where: str) -> Iterator[str]:
    """Pydantic's findings with the whole path: its nested models report only their own field."""
    for found in error.errors():
        field = str(found["loc"][0])
        path = _find(raw, field, found["input"]) or f"…{field}"
        given = json.dumps(found["input"], default=str)
        hint = (
            "; put it in quotes" if found["type"] == "string_type" and isinstance(found["input"], int | float) else ""
        )
        yield f"{where}{'.' if where else ''}{path}: {found['msg'].removeprefix('Input ')}, not {given[:60]}{hint}"


def _find(raw: Any, field: str, value: Any) -> str | None:
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, inner in items:
        if key == field and inner is value:
            return str(key)
        below = _find(inner, field, value)
        if below is not None:
            return f"{key}.{below}"
    return None


def _unknown(raw: Any, known: Any, where: str) -> Iterator[str]:
    """Keys that the model dropped."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for key, value in raw.items():
            path = f"{where}.{key}" if where else str(key)
            if key in known:
                yield from _unknown(value, known[key], path)
            elif value not in (None, {}, []):
                yield f"{path}: {IGNORED}"
    elif isinstance(raw, list) and isinstance(known, list):
        for number, (value, kept) in enumerate(zip(raw, known, strict=False)):
            yield from _unknown(value, kept, f"{where}.{number}")


def _counts(spec: Mapping[str, Any]) -> Iterator[str]:
    most, parallel, failed = (spec.get(f"{name}TrialCount") for name in ("max", "parallel", "maxFailed"))
    if failed is not None and failed < 0:
        yield f"spec.maxFailedTrialCount {failed}: must not be below 0"
    if most is not None and most <= 0:
        yield f"spec.maxTrialCount {most}: must be above 0"
    if parallel is not None and parallel <= 0:
        yield f"spec.parallelTrialCount {parallel}: must be above 0"
    for name, value in (("maxFailedTrialCount", failed), ("parallelTrialCount", parallel)):
        if value is not None and most is not None and value > most:
            yield f"spec.{name} {value}: must not be above spec.maxTrialCount ({most})"


def _objective(spec: Mapping[str, Any]) -> Iterator[str]:
    objective = spec.get("objective")
    if not objective:
        yield "spec.objective: must be given"
        return
    if objective.get("type") not in ("minimize", "maximize"):
        yield f"spec.objective.type {objective.get('type')}: must be minimize or maximize"
    if not objective.get("objectiveMetricName"):
        yield "spec.objective.objectiveMetricName: must be given"
    elif objective["objectiveMetricName"] in (objective.get("additionalMetricNames") or ()):
        yield "spec.objective.additionalMetricNames: must not contain the objectiveMetricName"


def _algorithm(spec: Mapping[str, Any]) -> Iterator[str]:
    name = (spec.get("algorithm") or {}).get("algorithmName")
    if not name:
        yield "spec.algorithm.algorithmName: must be given"
    elif name not in ALGORITHMS:
        yield f"spec.algorithm.algorithmName {name}: Katib has {', '.join(ALGORITHMS)}"
    stopping = spec.get("earlyStopping")
    if stopping is not None and stopping.get("algorithmName") != "medianstop":
        yield "spec.earlyStopping.algorithmName: Katib has medianstop"


def _parameters(spec: Mapping[str, Any]) -> Iterator[str]:
    parameters = spec.get("parameters") or []
    if not parameters and not spec.get("nasConfig"):
        yield "spec.parameters: must be given"
    if parameters and spec.get("nasConfig"):
        yield "spec.nasConfig: must not be given beside spec.parameters"
    for number, parameter in enumerate(parameters):
        yield from _parameter(parameter, f"spec.parameters.{number}")


def _parameter(parameter: Mapping[str, Any], where: str) -> Iterator[str]:
    kind, space = parameter.get("parameterType"), parameter.get("feasibleSpace") or {}
    if kind not in ("int", "double", "categorical", "discrete"):
        yield f"{where}.parameterType {kind}: must be double, int, discrete or categorical"
    if not parameter.get("name"):
        yield f"{where}.name: must be given"
    if space.get("distribution") not in (None, "", *_DISTRIBUTIONS):
        given = space["distribution"]
        yield f"{where}.feasibleSpace.distribution {given}: must be one of {', '.join(_DISTRIBUTIONS)}"
    if not space:
        yield f"{where}.feasibleSpace: must be given"
    elif kind in ("double", "int"):
        if space.get("list"):
            yield f"{where}.feasibleSpace.list: a {kind} has min and max instead"
        if not space.get("min") or not space.get("max"):
            yield f"{where}.feasibleSpace: a {kind} needs min and max"
    elif kind in ("categorical", "discrete") and any(space.get(name) for name in ("min", "max", "step")):
        yield f"{where}.feasibleSpace: a {kind} parameter has a list instead of min, max and step"


def _template(spec: Mapping[str, Any]) -> Iterator[str]:
    where, template = "spec.trialTemplate", spec.get("trialTemplate")
    if not template:
        yield f"{where}: must be given"
        return
    if not template.get("primaryContainerName"):
        yield f"{where}.primaryContainerName: must be given"
    source, config_map = template.get("trialSpec"), template.get("configMap")
    if source and config_map:
        yield f"{where}: only one of trialSpec and configMap can be given"
    elif config_map:
        if not all(config_map.get(name) for name in ("configMapName", "configMapNamespace", "templatePath")):
            yield f"{where}.configMap: configMapName, configMapNamespace and templatePath must be given"
    elif not source:
        yield f"{where}.trialSpec: must be given"
    if (
        source
        and source.get("kind") != "Job"
        and not (template.get("successCondition") and template.get("failureCondition"))
    ):
        yield f"{where}: successCondition and failureCondition must be given for a {source.get('kind')}"
    if template.get("trialParameters") is None:
        yield f"{where}.trialParameters: must be given"
    elif source:
        yield from _references(spec, template["trialParameters"], json.dumps(source))
        yield from _trial_spec(source)


def _references(spec: Mapping[str, Any], trial_parameters: list[Mapping[str, Any]], text: str) -> Iterator[str]:
    where = "spec.trialTemplate.trialParameters"
    known = {parameter.get("name") for parameter in spec.get("parameters") or []}
    names: set[str] = set()
    references: set[str] = set()
    for number, parameter in enumerate(trial_parameters):
        name, reference = parameter.get("name"), parameter.get("reference")
        if not name or not reference or "{" in name or "}" in name:
            yield f"{where}.{number}: name and reference must be given, the name without braces"
            continue
        if name in names:
            yield f"{where}.{number}.name {name}: stands twice"
        if reference in references:
            yield f"{where}.{number}.reference {reference}: stands twice"
        names.add(name)
        references.add(reference)
        if known and reference not in known and not _META.match(reference):
            yield f"{where}.{number}.reference {reference}: no parameter of spec.parameters has this name"
        if f"${{trialParameters.{name}}}" not in text:
            yield f"{where}.{number}.name {name}: ${{trialParameters.{name}}} does not stand in the trialSpec"
        text = text.replace(f"${{trialParameters.{name}}}", "test-value")
    for left in sorted(set(_REFERENCE.findall(text))):
        yield f"spec.trialTemplate.trialSpec: {left} is none of the trialParameters"


def _trial_spec(source: Mapping[str, Any]) -> Iterator[str]:
    where = "spec.trialTemplate.trialSpec"
    metadata = source.get("metadata") or {}
    if metadata.get("name") or metadata.get("namespace"):
        yield f"{where}.metadata: name and namespace must be left out; Katib gives them"
    if not source.get("apiVersion") or not source.get("kind"):
        yield f"{where}: apiVersion and kind must be given"


def _collector(spec: Mapping[str, Any]) -> Iterator[str]:
    where, collector = "spec.metricsCollectorSpec", spec.get("metricsCollectorSpec") or {}
    kind = (collector.get("collector") or {}).get("kind", "StdOut")
    if kind not in COLLECTORS:
        yield f"{where}.collector.kind {kind}: must be one of {', '.join(COLLECTORS)}"
    source = collector.get("source") or {}
    path = (source.get("fileSystemPath") or {}).get("path")
    if kind in ("File", "TensorFlowEvent") and path is not None and not path.startswith("/"):
        yield f"{where}.source.fileSystemPath.path {path}: must be absolute"
    formats = (source.get("filter") or {}).get("metricsFormat") or []
    if formats and (source.get("fileSystemPath") or {}).get("format") == "JSON":
        yield f"{where}.source.filter: must be left out for JSON"
    for number, text in enumerate(formats):
        yield from _metrics_format(text, f"{where}.source.filter.metricsFormat.{number}")


def _metrics_format(text: str, where: str) -> Iterator[str]:
    import re2

    try:
        re2.compile(text)
    except re2.error as error:
        yield f"{where} {text}: not a regular expression of RE2: {error}"
        return
    if not _TWO_GROUPS.match(text):
        yield f"{where} {text}: needs two groups, one for the name and one for the value"
