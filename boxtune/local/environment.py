"""The variables of a trial's container, as this machine can give them: env and envFrom."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from kubeflow_katib_api.models import IoK8sApiCoreV1EnvFromSource, IoK8sApiCoreV1EnvVarSource

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.shell_line import TRIAL_NAME, expand
from boxtune.experiment.trial_command import TrialCommand, fill, is_no_name, no_name
from boxtune.problems import JOB_REFUSED, error

# Katib gives a trial's Job and pods the trial's name, and its labels to them.
_TRIAL_S_NAME = (
    "metadata.name",
    "metadata.labels['job-name']",
    "metadata.labels['batch.kubernetes.io/job-name']",
    "metadata.labels['katib.kubeflow.org/trial']",
)
_EXPERIMENT_S_NAME = "metadata.labels['katib.kubeflow.org/experiment']"
_OWN_LABEL = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")  # what Kubernetes makes variables of; it leaves other keys out


DEFAULT_NAMESPACE = "default"  # of a cluster, where the Experiment names none


class ContainerEnvironment:
    """What the container's env and envFrom come to here.

    ConfigMaps are those of the Experiment's file. What comes from elsewhere (a Secret, a field of the pod) is taken
    from the environment that `boxtune run` was started in, by its name.
    """

    def __init__(self, experiment: Experiment, command: TrialCommand) -> None:
        """
        Raises:
            ExperimentError: no program can have a variable of such a name.
        """
        self._experiment = experiment
        self._job = command.job
        self._container = command.container
        self._path = command.path
        self._config_maps = experiment.config_maps
        for number, entry in enumerate(self._container.env or ()):
            if is_no_name(entry.name):
                raise ExperimentError(error(f"{self._path}.env.{number}.name", no_name(entry.name), "", JOB_REFUSED))

    def of(self, trial: str, values: Mapping[str, str | None]) -> dict[str, str]:
        """The variables of the trial of this name; later ones may name earlier ones, as in a pod.

        Args:
            values: of the trialParameters.

        Raises:
            ExperimentError: one comes from where this machine has nothing.
        """
        variables: dict[str, str] = {TRIAL_NAME: trial}
        for number, source in enumerate(self._container.env_from or ()):
            variables |= self._all_of(source, f"{self._path}.envFrom.{number}")
        for number, entry in enumerate(self._container.env or ()):
            if entry.value_from is None:
                variables[entry.name] = expand(fill(entry.value or "", values), variables)
                continue
            value = self._value_from(entry.name, entry.value_from, trial, f"{self._path}.env.{number}")
            if value is not None:
                variables[entry.name] = value
        return variables

    def _all_of(self, source: IoK8sApiCoreV1EnvFromSource, path: str) -> dict[str, str]:
        """Every entry of a ConfigMap."""
        held = source.config_map_ref
        if held is None:
            name = source.secret_ref.name if source.secret_ref is not None else ""
            if source.secret_ref is not None and source.secret_ref.optional:
                return {}
            what = f"the variables of the Secret {name} are not here"
            raise ExperimentError(error(path, what, "name each under env; its value is taken from this shell's"))
        if held.name not in self._config_maps:
            if held.optional:
                return {}
            what = f"the ConfigMap {held.name} is not in the file (nor in a kustomization beside it)"
            raise ExperimentError(error(path, what, "add it, or name each of its variables under env"))
        named = {f"{source.prefix or ''}{key}": value for key, value in self._config_maps[held.name or ""].items()}
        return {name: value for name, value in named.items() if _NAME.fullmatch(name)}

    def _field(self, path: str, trial: str) -> str | None:
        """A field of the trial's pod, as far as it is known before there is one."""
        if path in _TRIAL_S_NAME:
            return trial
        if path == _EXPERIMENT_S_NAME:
            return self._experiment.name
        if path == "metadata.namespace":
            return self._experiment.namespace or DEFAULT_NAMESPACE
        found = _OWN_LABEL.fullmatch(path)
        if found is None:
            return None
        held = self._job.pod_labels if found[1] == "labels" else self._job.pod_annotations
        return held.get(found[2])

    def _value_from(self, name: str, source: IoK8sApiCoreV1EnvVarSource, trial: str, path: str) -> str | None:
        if name in os.environ:
            return os.environ[name]
        key, secret, field = source.config_map_key_ref, source.secret_key_ref, source.field_ref
        if key is not None and key.key in self._config_maps.get(key.name or "", {}):
            return self._config_maps[key.name or ""][key.key]
        said = self._field(field.field_path, trial) if field is not None else None
        if said is not None:
            return said
        if (key is not None and key.optional) or (secret is not None and secret.optional):
            return None
        kinds = {"configMapKeyRef": key, "secretKeyRef": secret, "fieldRef": field}
        kind = next((kind for kind, given in kinds.items() if given is not None), "resourceFieldRef")
        what = f"env {name}: its value comes from a {kind}"
        raise ExperimentError(error(path, what, f"set {name} in this shell's environment"))
