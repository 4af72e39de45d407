"""What a trial runs, as the trialTemplate says it, wherever it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boxtune.errors import ExperimentError
from boxtune.experiment.model import Experiment

GPU_LIMIT = "nvidia.com/gpu"
PLACEHOLDER = re.compile(r"\$\{trialParameters\.(.+?)\}")
META = re.compile(r"\$\{trialSpec\.(.+?)\}")
_SET = re.compile(r"(?:--set=)?(?P<name>[\w.]+)=\$\{trialParameters\.(?P<parameter>[^}]+)\}")
_OWN = ("-m", "trial_entry")


class TrialCommand:
    """The primary container of an Experiment's trialTemplate."""

    def __init__(self, experiment: Experiment) -> None:
        """
        Raises:
            ExperimentError: the template is not here, is no Job, or has no such container.
        """
        template = experiment.template
        if "trialSpec" not in template:
            raise ExperimentError("spec.trialTemplate.configMap: a template in a ConfigMap cannot be run locally")
        self.job: Mapping[str, Any] = template["trialSpec"]
        if self.job.get("kind") != "Job":
            raise ExperimentError(
                f"spec.trialTemplate.trialSpec: a {self.job.get('kind')} cannot be run locally, a Job can"
            )
        name = template["primaryContainerName"]
        containers = {container["name"]: container for container in self.pod.get("containers") or ()}
        if name not in containers:
            raise ExperimentError(
                f"spec.trialTemplate.primaryContainerName {name}: the pod has {', '.join(containers) or 'no container'}"
            )
        self.container: Mapping[str, Any] = containers[name]
        self.references: Mapping[str, str] = {each["name"]: each["reference"] for each in template["trialParameters"]}

    @property
    def pod(self) -> Mapping[str, Any]:
        """The pod's spec."""
        spec = ((self.job.get("spec") or {}).get("template") or {}).get("spec") or {}
        return dict(spec)

    @property
    def arguments(self) -> list[str]:
        """The container's command and args, placeholders and all."""
        return [*(self.container.get("command") or ()), *(self.container.get("args") or ())]

    @property
    def is_own(self) -> bool:
        """Whether the trials are `python -m trial_entry [train]`."""
        arguments = self.arguments
        return tuple(arguments[1:3]) == _OWN and "python" in Path(arguments[0]).name

    @property
    def left_out(self) -> list[str]:
        """Containers of the pod that a local run does not have."""
        others = [*(self.pod.get("initContainers") or ()), *(self.pod.get("containers") or ())]
        return [container["name"] for container in others if container["name"] != self.container["name"]]

    @property
    def gpus(self) -> int:
        """The container's GPU limit."""
        limits = (self.container.get("resources") or {}).get("limits") or {}
        return int(limits.get(GPU_LIMIT, 0))

    def sets(self) -> dict[str, str]:
        """Parameter name to the alias or field path that it sets, where it stands in a `--set` and nowhere else."""
        found: dict[str, str] = {}
        for argument in self.arguments:
            matched = _SET.fullmatch(argument)
            for name in PLACEHOLDER.findall(argument):
                reference = self.references.get(name, "")
                found[reference] = "" if matched is None or reference in found else matched["name"]
        return {reference: name for reference, name in found.items() if name}

    def filled(self, assignments: Mapping[str, str]) -> list[str]:
        """The arguments with the parameters' values; what has none (a trial's name) stays as it is."""
        return [
            PLACEHOLDER.sub(lambda found: assignments.get(self.references.get(found[1], ""), found[0]), text)
            for text in self.arguments
        ]
