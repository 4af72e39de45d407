"""What Katib's webhook refuses of an Experiment's trialTemplate, and references that no trial can be made with.

Source: `validateTrialTemplate` in `pkg/webhook/v1beta1/experiment/validator/validator.go` of Katib v0.19, and
`applyParameters` in `pkg/controller.v1beta1/experiment/manifest/generator.go` for the references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kubeflow_katib_api.models import V1beta1ExperimentSpec, V1beta1TrialParameterSpec, V1beta1TrialTemplate

from boxtune.errors import ExperimentError
from boxtune.experiment.job import is_job, job_problems
from boxtune.experiment.source import JsonObject, read_text
from boxtune.problems import REFUSED, Problem, error, with_article

ConfigMaps = Mapping[str, Mapping[str, str]]
_WHERE = "spec.trialTemplate"
_REFERENCE = re.compile(r"\$\{trialParameters\..+?\}")
_META, _INDEXED = re.compile(r"\$\{trialSpec\.(.+?)\}"), re.compile(r"(.+)\[(.+)\]")
_LABELS = {"Labels": "labels", "Annotations": "annotations"}
_META_KEYS = ("Name", "Namespace", "Kind", "APIVersion", *_LABELS)
# Whose conditions Katib fills in; source: `KubeflowJobKinds` in `pkg/apis/controller/experiments/v1beta1/constants.go`.
_TOLD_KINDS = ("Job", "TFJob", "PyTorchJob", "XGBoostJob", "MPIJob", "TrainJob")
_TRIED = "test-value"  # what Katib puts in each parameter's place
# Go writes these in a JSON text otherwise than they stand there, so a parameter's name cannot have them.
_ESCAPED = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"})
_NO_TRIAL = "accepted; no trial is ever created"


def template_problems(spec: V1beta1ExperimentSpec, config_maps: ConfigMaps) -> Iterator[Problem]:
    """Everything that is wrong with the template; all of it errors."""
    template = spec.trial_template
    if template is None:
        yield _refused("", "must be given")
        return
    if not template.primary_container_name:
        yield _refused("primaryContainerName", "must be given")
    yield from _source(template)
    if not template.trial_parameters:
        yield _refused("trialParameters", "must be given")
        return
    known = {parameter.name or "" for parameter in spec.parameters or ()}
    if template.trial_spec:
        yield from _references(known, template.trial_parameters, _go_text(template.trial_spec), "trialSpec")
        yield from _object(template.trial_spec)
        yield from _meta_references(template.trial_parameters, template.trial_spec)
    elif template.config_map is not None:
        held = config_maps.get(template.config_map.config_map_name or "")
        if held is not None:
            yield from _held(known, template, held)


def _refused(field: str, what: str, right: str = "") -> Problem:
    return error(f"{_WHERE}.{field}" if field else _WHERE, what, right, REFUSED)


def _go_text(source: JsonObject) -> str:
    """The template as Katib has it before it puts values in: Go's JSON."""
    text = json.dumps(source, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPED)


def _source(template: V1beta1TrialTemplate) -> Iterator[Problem]:
    """Where the trialSpec is, and whether Katib can tell how a trial ended."""
    source, held = template.trial_spec, template.config_map
    if source is not None and held is not None:
        yield _refused("", "only one of trialSpec and configMap can be given")
    elif held is not None:
        if not (held.config_map_name and held.config_map_namespace and held.template_path):
            yield _refused("configMap", "configMapName, configMapNamespace and templatePath must be given")
    elif not source:
        yield _refused("trialSpec", "must be given")
    if template.success_condition and template.failure_condition:
        return
    if held is not None:
        yield _refused("", "successCondition and failureCondition must be given for a template in a ConfigMap")
    elif source and source.get("kind") and source["kind"] not in _TOLD_KINDS:
        yield _refused(
            "", f"successCondition and failureCondition must be given for {with_article(str(source['kind']))}"
        )


def _references(
    known: set[str], given: Sequence[V1beta1TrialParameterSpec], text: str, holder: str
) -> Iterator[Problem]:
    """Every trialParameter refers to a parameter and stands in the template, and nothing else stands there."""
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
        if known and reference not in known and not _is_meta(reference):
            yield _refused(f"{where}.reference", f"{reference}: no parameter of spec.parameters has this name")
        if _placeholder(name) not in text:
            yield _refused(f"{where}.name", f"{name}: {_placeholder(name)} does not stand in the {holder}")
        text = text.replace(_placeholder(name), _TRIED)
    for left in sorted(set(_REFERENCE.findall(text))):
        yield _refused(holder, f"{left} is none of the trialParameters")


def _placeholder(name: str) -> str:
    return f"${{trialParameters.{name}}}"


def _is_meta(reference: str) -> bool:
    """Whether the webhook takes a reference for one to the trial itself."""
    key = _meta_key(reference)
    return key is not None and key[0] in _META_KEYS


def _meta_key(reference: str) -> tuple[str, str] | None:
    """The field of a trial and its key that a `${trialSpec.…}` names, the key empty where there is none."""
    found = _META.search(reference)
    if found is None:
        return None
    indexed = _INDEXED.search(found[1])
    return (indexed[1], indexed[2]) if indexed is not None else (found[1], "")


def _meta_references(given: Sequence[V1beta1TrialParameterSpec], source: JsonObject) -> Iterator[Problem]:
    """References to labels and annotations that the template does not have."""
    metadata = source.get("metadata")
    for number, each in enumerate(given):
        key = _meta_key(each.reference or "")
        if key is None or key[0] not in _LABELS:
            continue
        field = _LABELS[key[0]]
        there = metadata.get(field) if isinstance(metadata, Mapping) else None
        if isinstance(there, Mapping) and key[1] in there:
            continue
        named = f"the trialSpec's metadata.{field} has no {key[1]}" if key[1] else f"names none of the {field}"
        right = f"add it there, or write ${{trialSpec.{key[0]}[NAME]}} of one that is there"
        where = f"{_WHERE}.trialParameters.{number}.reference"
        yield error(where, f"{each.reference}: {named}", right, _NO_TRIAL)


def _object(source: JsonObject) -> Iterator[Problem]:
    """What the template describes must be some object, its name and namespace left to Katib."""
    metadata = source.get("metadata")
    named = [metadata.get(field) for field in ("name", "namespace")] if isinstance(metadata, Mapping) else []
    if any(isinstance(each, str) and each for each in named):
        yield _refused("trialSpec.metadata", "name and namespace must be left out; Katib gives them")
    for field in ("apiVersion", "kind"):
        given = source.get(field)
        if not isinstance(given, str) or not given:
            yield _refused(f"trialSpec.{field}", "must be given, a text")
        elif given.count("/") > 1 and field == "apiVersion":
            yield _refused(f"trialSpec.{field}", f"{given} must be GROUP/VERSION, such as batch/v1")


def _held(known: set[str], template: V1beta1TrialTemplate, held: Mapping[str, str]) -> Iterator[Problem]:
    """Of a template in a ConfigMap of the same file."""
    path = (template.config_map.template_path if template.config_map is not None else None) or ""
    text, given = held.get(path), template.trial_parameters or ()
    if text is None:
        there = ", ".join(sorted(held)) or "nothing"
        yield _refused("configMap.templatePath", f"{path}: the ConfigMap has {there}")
        return
    yield from _references(known, given, text, "configMap")
    for each in given:
        text = text.replace(_placeholder(each.name or ""), _TRIED)
    try:
        source = next((document.raw for document in read_text(text, path)), None)
    except ExperimentError as wrong:
        yield _refused("configMap", str(wrong))
        return
    if not isinstance(source, Mapping):
        yield _refused("configMap", f"{path} must be a mapping, a {' or '.join(_TOLD_KINDS[:2])} or the like")
        return
    yield from _meta_references(given, source)
    jobs = job_problems(source, "") if is_job(source) else ()
    for problem in (*_object(source), *jobs):
        where = problem.path.removeprefix(f"{_WHERE}.trialSpec.")
        yield replace(problem, path=f"{_WHERE}.configMap", what=f"{path}: {where}: {problem.what}")
