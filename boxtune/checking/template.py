"""The trialTemplate: what its pod cannot be, what of it never reaches the trial, what loses its work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from boxtune.checking.metrics_file import metrics_file_problems
from boxtune.checking.model_place import MODEL_DIR, stopping_problems, written_place
from boxtune.checking.pod import pod_problems
from boxtune.checking.shell import shell_problems
from boxtune.checking.shell_arguments import value_problems
from boxtune.checking.space import shell_safe
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.shape import leaves
from boxtune.experiment.shell_line import expand, is_wrapped
from boxtune.experiment.trial_command import META, PLACEHOLDER, POD_PATH, TrialCommand, is_no_name, no_name
from boxtune.problems import JOB_REFUSED, Problem, error, warning

_TEMPLATE = "spec.trialTemplate"
_JOB = f"{_TEMPLATE}.trialSpec.spec"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # DNS-1123, as Kubernetes wants names of containers
# A shell leaves a pattern as it is where no file matches, and none begins with `--set=`.
_OPTION, _PATTERN = re.compile(r"--[\w-]+="), re.compile(r"[*?]")
_TWO_IN_ONE = re.compile(r"--[\w-]+ \S+")  # which trial_entry does not know, and says so
_DEFAULT_GRACE, _LEAST_GRACE = 30, 60  # seconds: Kubernetes' own; a checkpoint and its way to the disk
_ISTIO = "sidecar.istio.io/inject"


def template_problems(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    """Everything about the pod and its command line."""
    yield from reference_problems(experiment, command)
    yield from _meta_references(experiment)
    yield from _names(command)
    yield from _volumes(command)
    yield from pod_problems(command.pod)
    yield from _job(command)
    yield from _command_line(experiment, command)
    yield from _stopping(command)


def reference_problems(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    """Parameters that no trial is told of."""
    for number, spec in enumerate(experiment.parameters):
        if spec.name not in command.references.values():
            yield error(
                f"spec.parameters.{number}.name",
                f"no trialParameter refers to {spec.name}, so it changes nothing",
                "add it to trialParameters and to the trial's args, or leave it out",
                "accepted; no trial is ever created",
            )


def _meta_references(experiment: Experiment) -> Iterator[Problem]:
    for path, text in leaves(experiment.template.trial_spec, f"{_TEMPLATE}.trialSpec"):
        for found in META.findall(text) if isinstance(text, str) else ():
            yield error(
                path,
                f"${{trialSpec.{found}}} is filled in only as the reference of a trialParameter",
                "make one and write ${trialParameters.NAME} here",
                "accepted; the shell ends with a bad substitution",
            )


def _names(command: TrialCommand) -> Iterator[Problem]:
    """Names that the API server refuses when the pod is made, long after the Experiment was accepted."""
    pod = command.pod
    held = {
        "containers": [each.name for each in pod.containers],
        "initContainers": [each.name for each in pod.init_containers or ()],
        "volumes": [each.name for each in pod.volumes or ()],
    }
    for kind, names in held.items():
        for number, name in enumerate(names):
            if not _LABEL.fullmatch(name):
                what = f'"{name}" must be of a-z, 0-9 and "-", without a dot or an underscore'
                yield error(f"{POD_PATH}.{kind}.{number}.name", what, "", JOB_REFUSED)
    for number, entry in enumerate(command.container.env or ()):
        if is_no_name(entry.name):
            yield error(f"{command.path}.env.{number}.name", no_name(entry.name), "", JOB_REFUSED)


def _volumes(command: TrialCommand) -> Iterator[Problem]:
    known = sorted(volume.name for volume in command.pod.volumes or ())
    for number, mount in enumerate(command.container.volume_mounts or ()):
        if mount.name not in known:
            what = f"the pod has no volume {mount.name}; it has {', '.join(known) or 'none'}"
            yield error(f"{command.path}.volumeMounts.{number}.name", what, "", JOB_REFUSED)


def _job(command: TrialCommand) -> Iterator[Problem]:
    if command.job.backoff_limit != 0:
        yield warning(
            f"{_JOB}.backoffLimit",
            "a trial that failed is repeated, six times by default",
            "write 0",
            "every repetition costs a training, and the trial counts as running",
        )
    policy = command.pod.restart_policy
    if policy not in ("Never", "OnFailure"):
        yield error(f"{POD_PATH}.restartPolicy", f"{policy or 'left out'}; a Job needs Never", "", JOB_REFUSED)
    if {**command.job.pod_annotations, **command.job.pod_labels}.get(_ISTIO) != "false":
        yield warning(
            f"{_JOB}.template.metadata",
            f'the annotation {_ISTIO}: "false" is missing',
            "add it",
            "in a Kubeflow Profile's namespace Istio's sidecar keeps the Job from ever completing",
        )


def _command_line(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    where, container = command.path, command.container
    if is_wrapped(experiment.collector.kind) and not container.command:
        yield warning(
            f"{where}.command",
            "left out, and the image's own command is not known here; boxtune run refuses it",
            "write it out",
            "the controller asks the image's registry for it, and the trial fails where it may not",
        )
    elif not command.is_own:
        yield from shell_problems(experiment, command)
        yield from metrics_file_problems(experiment, command)
    elif experiment.collector.kind == "StdOut":
        yield from _own_arguments(command)
        yield from value_problems(experiment, command)


def _own_arguments(command: TrialCommand) -> Iterator[Problem]:
    """trial_entry's arguments reach it by a shell on Katib and without one here: nothing in them may be a shell's."""
    container = command.container
    known = {each.name: "x" for each in container.env or ()}
    texts = chain(
        ((f"{command.path}.command.{number}", text) for number, text in enumerate(container.command or ())),
        ((f"{command.path}.args.{number}", text) for number, text in enumerate(container.args or ())),
    )
    for path, text in texts:
        plain = expand(PLACEHOLDER.sub("x", text), known)
        if META.search(plain) or _TWO_IN_ONE.fullmatch(plain):
            continue
        if not shell_safe(_PATTERN.sub("", plain) if _OPTION.match(plain) else plain):
            yield error(
                path,
                f'"{text}" has characters that a shell reads',
                "use letters, digits and @%+=:,./_-",
                "the trial's command is one unquoted shell line, which they break",
            )


def _stopping(command: TrialCommand) -> Iterator[Problem]:
    """A trial that is told to end should save what it has."""
    if not command.is_own:
        return
    lifecycle = command.container.lifecycle
    hook = lifecycle.pre_stop.var_exec if lifecycle is not None and lifecycle.pre_stop is not None else None
    grace = command.pod.termination_grace_period_seconds
    grace = _DEFAULT_GRACE if grace is None else grace
    place = written_place(command.arguments)
    if hook is None or "trial_entry" not in (hook.command or ()):
        yield warning(
            f"{command.path}.lifecycle",
            "nothing tells the trial to save before its pod ends",
            f"add preStop: exec: command: [python, -m, trial_entry, stop, {place.flag if place else MODEL_DIR}=…]",
            "the shell around the trial passes no SIGTERM on: a pod that is moved loses all since its last checkpoint",
        )
        return
    yield from stopping_problems(command, hook.command or ())
    if grace < _LEAST_GRACE:
        yield warning(
            f"{POD_PATH}.terminationGracePeriodSeconds",
            f"{grace} seconds may be too few for a checkpoint",
            "write 120",
            "the trial is killed before it has saved",
        )
