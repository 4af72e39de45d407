"""A trial's Job as Katib makes it of an Experiment, with Katib's shell line or without."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from boxtune.experiment.shell_line import METRICS_FILE, wrap
from boxtune.experiment.trial_command import TrialCommand, fill
from tests.conftest import EXPERIMENTS, REPOSITORY
from tests.e2e.kubectl import kubectl, kubectl_json, wait_for_one_of

ASSIGNMENTS = {"learning_rate": "0.001", "batch_size": "8", "nms_iou_threshold": "0.6"}
# What Katib's collector does with the file, as far as a log shows it: it repeats it, and ends with the trial.
_REPEAT = (
    f"until [ -f {METRICS_FILE} ]; do sleep 0.2; done; tail -n +1 -f {METRICS_FILE} & "
    f"until ls {METRICS_FILE.parent}/*.pid >/dev/null 2>&1; do sleep 0.2; done; sleep 1; kill %1"
)


def built(folder: Path, components: tuple[str, ...]) -> Experiment:
    """The quick-start with these of manifests/components, by kustomize."""
    folder.mkdir(parents=True, exist_ok=True)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(EXPERIMENTS / "quick-start", folder)],
        "components": [os.path.relpath(REPOSITORY / "manifests" / "components" / name, folder) for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    file = folder / "experiment.yaml"
    file.write_text(kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(folder)))
    return load_experiment(file)


def trial_job(
    experiment: Experiment,
    name: str,
    namespace: str,
    image: str,
    *more: str,
    wrapped: bool = False,
    limits: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The Job of a trial with ASSIGNMENTS.

    Args:
        more: arguments besides; the number of epochs is left out.
        wrapped: run it by Katib's shell line, with a container beside it that shows what the collector reads.
        limits: of the trial's container, besides its own.
    """
    command = TrialCommand(experiment.template)
    values = command.values(name, namespace, ASSIGNMENTS)
    template = {**experiment.template.trial_spec, "metadata": {"name": name}}
    job = yaml.safe_load(fill(yaml.safe_dump(template), values))
    pod = job["spec"]["template"]["spec"]
    for each in (*pod["containers"], *pod.get("initContainers", ())):
        each["image"] = image
    container = pod["containers"][0]
    container["args"] = [*(each for each in container["args"] if not each.startswith("--set=epochs")), *more]
    container["resources"] = {
        "requests": {"cpu": "100m", "memory": "256Mi"},
        "limits": {"memory": "3Gi", **(limits or {})},
    }
    if wrapped:
        _wrap(pod, container)
    return dict(job)


def _wrap(pod: dict[str, Any], container: dict[str, Any]) -> None:
    line = wrap([*container["command"], *container.pop("args")])
    container["command"], container["args"] = line[:2], line[2:]
    mount = {"name": "metrics-volume", "mountPath": str(METRICS_FILE.parent)}
    container["volumeMounts"].append(mount)
    pod["volumes"].append({"name": "metrics-volume", "emptyDir": {}})
    pod["shareProcessNamespace"] = True
    pod["containers"].append(
        {
            "name": "repeat",
            "image": container["image"],
            "command": ["bash", "-mc", _REPEAT],
            "securityContext": container["securityContext"],
            "volumeMounts": [mount],
        }
    )


@contextmanager
def running(namespace: str, experiment: Experiment, job: Mapping[str, Any]) -> Iterator[str]:
    """The Job, created with the Experiment's ConfigMaps, and deleted in the end; gives its name."""
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}
        for name, data in experiment.config_maps.items()
    ]
    kubectl("apply", "-n", namespace, "-f", "-", given=yaml.safe_dump_all([*maps, dict(job)]))
    name = job["metadata"]["name"]
    try:
        yield name
    finally:
        kubectl("delete", "job", name, "-n", namespace, "--cascade=foreground", "--ignore-not-found", "--timeout=180s")


def pods(namespace: str, job: str) -> list[dict[str, Any]]:
    """The Job's pods, oldest first."""
    found = kubectl_json("get", "pods", "-n", namespace, "-l", f"job-name={job}")["items"]
    return sorted(found, key=lambda each: each["metadata"]["creationTimestamp"])


def log(namespace: str, pod: str, container: str = "trial") -> str:
    """What a container has printed so far."""
    return kubectl("logs", "-n", namespace, pod, "-c", container)


def ended(namespace: str, job: str) -> str:
    """Complete or Failed, once the Job is one of them."""
    return wait_for_one_of(
        ("Complete", "Failed"), f"job {job}", lambda: kubectl_json("get", "job", job, "-n", namespace)["status"]
    )
