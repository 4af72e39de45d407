"""What a trial runs, as the trialTemplate says it, wherever it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
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

    @property
    def base_config(self) -> str | None:
        """The path of the base pipeline.config in the pod; None where it is not said, or no constant."""
        for argument in self.arguments:
            name, equals, value = argument.partition("=")
            if name == "--pipeline_config_path" and equals and "${" not in value:
                return value
        return None

    def mounted(self, path: str, config_maps: Mapping[str, Mapping[str, str]]) -> str | None:
        """The text of a file of the container that is mounted from one of `config_maps`; None where none is."""
        volumes = {volume["name"]: volume for volume in self.pod.get("volumes") or ()}
        for mount in self.container.get("volumeMounts") or ():
            folder = PurePosixPath(mount["mountPath"])
            source = (volumes.get(mount.get("name")) or {}).get("configMap")
            if not source or not PurePosixPath(path).is_relative_to(folder):
                continue
            key = str(PurePosixPath(path).relative_to(folder))
            named = {item["path"]: item["key"] for item in source.get("items") or ()}
            return config_maps.get(source.get("name", ""), {}).get(named.get(key, key))
        return None

    def values(self, trial: str, namespace: str, assignments: Mapping[str, str]) -> dict[str, str | None]:
        """Each trialParameter's value in the trial of this name; None where it has no assignment for it."""
        values: dict[str, str | None] = {}
        for name, reference in self.references.items():
            meta = META.fullmatch(reference)
            values[name] = self._meta(meta.group(1), trial, namespace) if meta else assignments.get(reference)
        return values

    def _meta(self, key: str, trial: str, namespace: str) -> str:
        inner = re.fullmatch(r"(Annotations|Labels)\[(.+)\]", key)
        if inner:
            held = (self.job.get("metadata") or {}).get(inner.group(1).lower()) or {}
            return str(held.get(inner.group(2), ""))
        known = {
            "Name": trial,
            "Namespace": namespace,
            "Kind": self.job["kind"],
            "APIVersion": self.job["apiVersion"],
        }
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
