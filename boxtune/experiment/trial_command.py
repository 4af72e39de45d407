"""What a trial runs: the primary container of the trialTemplate, its command line and what it sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.experiment.job import API_VERSION, KIND, Container, Job, PodSpec, gpus_of
from boxtune.experiment.template import TrialTemplate
from boxtune.problems import error, with_article

PLACEHOLDER = re.compile(r"\$\{trialParameters\.(.+?)\}")
META = re.compile(r"\$\{trialSpec\.(.+?)\}")
_LABELLED = re.compile(r"(Annotations|Labels)\[(.+)\]")
_SET = re.compile(r"(?:--set=)?(?P<name>[\w.]+)=\$\{trialParameters\.(?P<parameter>[^}]+)\}")
_OWN = ("-m", "trial_entry")
_TEMPLATE = "spec.trialTemplate"
POD_PATH = f"{_TEMPLATE}.trialSpec.spec.template.spec"


class TrialCommand:
    """The primary container of a trialTemplate.

    Attributes:
        job: the Job around it.
        container: itself.
        references: the template's.
        path: of the container in the Experiment.
    """

    def __init__(self, template: TrialTemplate) -> None:
        """
        Raises:
            ExperimentError: the template is not here, is no Job, or has no such container.
        """
        if template.config_map:
            raise ExperimentError(error(f"{_TEMPLATE}.configMap", "a template in a ConfigMap cannot be run locally"))
        if template.job is None:
            what = f"{with_article(template.kind)} cannot be run locally, a {KIND} of {API_VERSION} can"
            raise ExperimentError(error(f"{_TEMPLATE}.trialSpec", what))
        self.job: Job = template.job
        names = [each.name for each in self.job.pod.containers]
        name = template.primary_container_name
        container = self.job.container(name)
        if container is None:
            raise ExperimentError(
                error(
                    f"{_TEMPLATE}.primaryContainerName",
                    f"{name}: the pod has {', '.join(names) or 'no container'}",
                    "",
                    "accepted; no collector is added, so no metric ever arrives",
                )
            )
        self.container: Container = container
        self.path = f"{POD_PATH}.containers.{names.index(name)}"
        self.references = template.references
        self._template = template

    @property
    def pod(self) -> PodSpec:
        """The pod's spec."""
        return self.job.pod

    @property
    def arguments(self) -> list[str]:
        """The container's command and args, placeholders and all."""
        return [*(self.container.command or ()), *(self.container.args or ())]

    @property
    def is_own(self) -> bool:
        """Whether the trials are `python -m trial_entry [train]`."""
        arguments = self.arguments
        return tuple(arguments[1:3]) == _OWN and "python" in Path(arguments[0]).name

    @property
    def left_out(self) -> list[str]:
        """Containers of the pod that a local run does not have."""
        others = [*(self.pod.init_containers or ()), *self.pod.containers]
        return [each.name for each in others if each.name != self.container.name]

    @property
    def gpus(self) -> int:
        """The container's GPU limit."""
        return gpus_of(self.container)

    def sets(self) -> dict[str, str]:
        """Parameter name to the alias or field path that it sets, where it stands in a `--set` and nowhere else."""
        found: dict[str, str] = {}
        for argument in self.arguments:
            matched = _SET.fullmatch(argument)
            for name in PLACEHOLDER.findall(argument):
                reference = self.references.get(name, "")
                found[reference] = "" if matched is None or reference in found else matched["name"]
        return {reference: name for reference, name in found.items() if name}

    def values(self, trial: str, namespace: str, assignments: Mapping[str, str]) -> dict[str, str | None]:
        """Each trialParameter's value in the trial of this name; None where it has no assignment for it."""
        values: dict[str, str | None] = {}
        for name, reference in self.references.items():
            meta = META.fullmatch(reference)
            values[name] = self._meta(meta.group(1), trial, namespace) if meta else assignments.get(reference)
        return values

    def _meta(self, key: str, trial: str, namespace: str) -> str:
        inner = _LABELLED.fullmatch(key)
        if inner:
            held = self.job.annotations if inner.group(1) == "Annotations" else self.job.labels
            return held.get(inner.group(2), "")
        spec = self._template.trial_spec
        known = {"Name": trial, "Namespace": namespace, "Kind": spec["kind"], "APIVersion": spec["apiVersion"]}
        return str(known[key])

    def kept(self, values: Mapping[str, str | None]) -> list[str]:
        """The arguments, without each `--set` whose parameter has no value (the baseline's case); not filled in."""
        kept: list[str] = []
        for argument in self.arguments:
            if any(values.get(name) is None for name in PLACEHOLDER.findall(argument)):
                if kept and kept[-1] == "--set":
                    kept.pop()
                continue
            kept.append(argument)
        return kept

    def filled(self, assignments: Mapping[str, str]) -> list[str]:
        """The arguments with the parameters' values; what has none (a trial's name) stays as it is."""
        return [
            PLACEHOLDER.sub(lambda found: assignments.get(self.references.get(found[1], ""), found[0]), text)
            for text in self.arguments
        ]


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """`text` with each `${trialParameters.NAME}` replaced by its value, or by nothing where it has none."""
    return PLACEHOLDER.sub(lambda found: values.get(found.group(1)) or "", text)


def is_no_name(variable: str) -> bool:
    """Whether no variable of a container can have this name."""
    return not variable or not variable.isascii() or not variable.isprintable() or "=" in variable


def no_name(variable: str) -> str:
    """What is wrong with such a name."""
    return f'"{variable}" cannot be the name of a variable; names are of ASCII characters without "="'
