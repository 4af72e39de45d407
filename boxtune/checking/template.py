"""The trialTemplate: what its pod cannot be, what of it never reaches the trial, what loses its work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from boxtune.checking.finding import Finding, error, warning
from boxtune.checking.space import shell_safe
from boxtune.experiment.model import Experiment
from boxtune.experiment.trial_command import META, PLACEHOLDER, TrialCommand

_TEMPLATE = "spec.trialTemplate"
_JOB = f"{_TEMPLATE}.trialSpec.spec"
_POD = f"{_JOB}.template.spec"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # DNS-1123, as Kubernetes wants names of containers
_SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash")
_LEAST_GRACE = 60  # seconds: a checkpoint and its way to the disk


def template_findings(experiment: Experiment, command: TrialCommand) -> Iterator[Finding]:
    """Everything about the pod and its command line."""
    yield from _references(experiment, command)
    yield from _names(command)
    yield from _volumes(command)
    yield from _job(command)
    yield from _command_line(experiment, command)
    yield from _stopping(command)


def container_path(command: TrialCommand) -> str:
    """The path of the primary container."""
    names = [container.get("name") for container in command.pod.get("containers") or ()]
    return f"{_POD}.containers.{names.index(command.container['name'])}"


def _references(experiment: Experiment, command: TrialCommand) -> Iterator[Finding]:
    for number, spec in enumerate(experiment.parameters):
        if spec.name not in command.references.values():
            yield error(
                f"spec.parameters.{number}.name",
                f"no trialParameter refers to {spec.name}, so it changes nothing; add it to trialParameters and to "
                "the trial's args, or leave it out",
                "accepted; searched all the same",
            )
    for path, text in _texts(command.job, f"{_TEMPLATE}.trialSpec"):
        for found in META.findall(text):
            yield error(
                path,
                f"${{trialSpec.{found}}} is filled in only as the reference of a trialParameter; make one and write "
                "${trialParameters.NAME} here",
                "accepted; the shell ends with a bad substitution",
            )


def _names(command: TrialCommand) -> Iterator[Finding]:
    """Names that the API server refuses when the pod is made, long after the Experiment was accepted."""
    pod = command.pod
    for kind in ("containers", "initContainers", "volumes"):
        for number, each in enumerate(pod.get(kind) or ()):
            name = str(each.get("name", ""))
            if not _LABEL.fullmatch(name):
                yield error(
                    f"{_POD}.{kind}.{number}.name",
                    f'"{name}" must be of a-z, 0-9 and "-", without a dot or an underscore',
                    "accepted; the Job is refused, and the trial never starts",
                )


def _volumes(command: TrialCommand) -> Iterator[Finding]:
    known = {volume.get("name") for volume in command.pod.get("volumes") or ()}
    where = container_path(command)
    for number, mount in enumerate(command.container.get("volumeMounts") or ()):
        if mount.get("name") not in known:
            yield error(
                f"{where}.volumeMounts.{number}.name",
                f"the pod has no volume {mount.get('name')}; it has {', '.join(map(str, sorted(known))) or 'none'}",
                "accepted; the Job is refused, and the trial never starts",
            )


def _job(command: TrialCommand) -> Iterator[Finding]:
    spec = command.job.get("spec") or {}
    if spec.get("backoffLimit") != 0:
        yield warning(
            f"{_JOB}.backoffLimit",
            "write 0: otherwise a trial that failed is repeated, six times by default",
            "every repetition costs a training, and the trial counts as running",
        )
    policy = command.pod.get("restartPolicy")
    if policy not in ("Never", "OnFailure"):
        yield error(
            f"{_POD}.restartPolicy",
            f"{policy or 'left out'}; a Job needs Never",
            "accepted; the Job is refused, and the trial never starts",
        )
    metadata = ((spec.get("template") or {}).get("metadata")) or {}
    said = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    if said.get("sidecar.istio.io/inject") != "false":
        yield warning(
            f"{_JOB}.template.metadata",
            'add the annotation sidecar.istio.io/inject: "false"',
            "in a Kubeflow Profile's namespace Istio's sidecar keeps the Job from ever completing",
        )


def _command_line(experiment: Experiment, command: TrialCommand) -> Iterator[Finding]:
    where, container = container_path(command), command.container
    if not container.get("command"):
        yield error(
            f"{where}.command",
            "must be given; the image's own entrypoint is not known",
            "the controller asks the image's registry for it, and the trial fails where it may not",
        )
        return
    if experiment.collector.kind != "StdOut":
        return
    shell = container["command"][0] in _SHELLS
    for field in ("command", "args"):
        for number, text in enumerate(container.get(field) or ()):
            path = f"{where}.{field}.{number}"
            plain = PLACEHOLDER.sub("x", text)
            if META.search(plain) or shell_safe(plain):
                continue
            if not shell:
                yield error(
                    path,
                    f'"{text}" has characters that a shell reads; use letters, digits and @%+=:,./_-',
                    "the trial's command is one unquoted shell line, which they break",
                )
            elif field == "command" and number == 2 and ";" in plain and not plain.strip().startswith(("{", "(")):
                yield warning(
                    path,
                    "put the commands in { …; }",
                    "only the last command's output is redirected to where the collector reads",
                )


def _stopping(command: TrialCommand) -> Iterator[Finding]:
    """A trial that is told to end should save what it has."""
    if not command.is_own:
        return
    hook = ((command.container.get("lifecycle") or {}).get("preStop") or {}).get("exec") or {}
    if "trial_entry" not in hook.get("command", ()):
        yield warning(
            f"{container_path(command)}.lifecycle",
            "add preStop: exec: command: [python, -m, trial_entry, stop, --model_dir=…]",
            "the shell around the trial passes no SIGTERM on: a pod that is moved loses all since its last checkpoint",
        )
    elif (grace := command.pod.get("terminationGracePeriodSeconds", 30)) < _LEAST_GRACE:
        yield warning(
            f"{_POD}.terminationGracePeriodSeconds",
            f"{grace} seconds may be too few for a checkpoint; write 120",
            "the trial is killed before it has saved",
        )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in `value` with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}")
