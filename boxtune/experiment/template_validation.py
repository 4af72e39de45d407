"""What Katib's admission webhook refuses of a trialTemplate.

Source: `validateTrialTemplate` in `pkg/webhook/v1beta1/experiment/validator/validator.go` of Katib v0.19.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from kubeflow_katib_api.models import V1beta1ExperimentSpec, V1beta1TrialParameterSpec, V1beta1TrialTemplate

from boxtune.experiment.source import JsonObject
from boxtune.problems import REFUSED, Problem, error

_WHERE = "spec.trialTemplate"
_REFERENCE = re.compile(r"\$\{trialParameters\..+?\}")
_META = re.compile(r"^\$\{trialSpec\.(Name|Namespace|Kind|APIVersion|(Annotations|Labels)\[.+\])\}$")
# Whose conditions Katib fills in; source: `KubeflowJobKinds` in `pkg/apis/controller/experiments/v1beta1/constants.go`.
_TOLD_KINDS = ("Job", "TFJob", "PyTorchJob", "XGBoostJob", "MPIJob", "TrainJob")
_TRIED = "test-value"  # what Katib puts in each parameter's place


def template_problems(spec: V1beta1ExperimentSpec) -> Iterator[Problem]:
    """Everything that is wrong with the template; all of it errors."""
    template = spec.trial_template
    if template is None:
        yield _refused("", "must be given")
        return
    if not template.primary_container_name:
        yield _refused("primaryContainerName", "must be given")
    yield from _source(template)
    if template.trial_parameters is None:
        yield _refused("trialParameters", "must be given")
    elif template.trial_spec:
        known = {parameter.name or "" for parameter in spec.parameters or ()}
        yield from _references(known, template.trial_parameters, json.dumps(template.trial_spec, default=str))
        yield from _trial_spec(template.trial_spec)


def _refused(field: str, what: str) -> Problem:
    return error(f"{_WHERE}.{field}" if field else _WHERE, what, "", REFUSED)


def _source(template: V1beta1TrialTemplate) -> Iterator[Problem]:
    """Where the trialSpec is, and whether Katib can tell how a trial ended."""
    source, held = template.trial_spec, template.config_map
    if source and held is not None:
        yield _refused("", "only one of trialSpec and configMap can be given")
    elif held is not None:
        if not (held.config_map_name and held.config_map_namespace and held.template_path):
            yield _refused("configMap", "configMapName, configMapNamespace and templatePath must be given")
    elif not source:
        yield _refused("trialSpec", "must be given")
    if (
        source
        and source.get("kind") not in _TOLD_KINDS
        and not (template.success_condition and template.failure_condition)
    ):
        yield _refused("", f"successCondition and failureCondition must be given for a {source.get('kind')}")


def _references(known: set[str], given: Sequence[V1beta1TrialParameterSpec], text: str) -> Iterator[Problem]:
    """Every trialParameter refers to a parameter and stands in the trialSpec, and nothing else stands there."""
    names: set[str] = set()
    references: set[str] = set()
    for number, each in enumerate(given):
        where, name, reference = f"trialParameters.{number}", each.name or "", each.reference or ""
        if not name or not reference or "{" in name or "}" in name:
            yield _refused(where, "name and reference must be given, the name without braces")
            continue
        if name in names:
            yield _refused(f"{where}.name", f"{name} stands twice")
        if reference in references:
            yield _refused(f"{where}.reference", f"{reference} stands twice")
        names.add(name)
        references.add(reference)
        if known and reference not in known and not _META.match(reference):
            yield _refused(f"{where}.reference", f"{reference}: no parameter of spec.parameters has this name")
        if f"${{trialParameters.{name}}}" not in text:
            yield _refused(f"{where}.name", f"{name}: ${{trialParameters.{name}}} does not stand in the trialSpec")
        text = text.replace(f"${{trialParameters.{name}}}", _TRIED)
    for left in sorted(set(_REFERENCE.findall(text))):
        yield _refused("trialSpec", f"{left} is none of the trialParameters")


def _trial_spec(source: JsonObject) -> Iterator[Problem]:
    metadata = source.get("metadata")
    if isinstance(metadata, Mapping) and (metadata.get("name") or metadata.get("namespace")):
        yield _refused("trialSpec.metadata", "name and namespace must be left out; Katib gives them")
    for field in ("apiVersion", "kind"):
        given = source.get(field)
        if not isinstance(given, str) or not given:
            yield _refused(f"trialSpec.{field}", "must be given, a text")
