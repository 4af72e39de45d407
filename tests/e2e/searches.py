"""Short searches on Katib, and what their pods and boxtune say of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from boxtune.cluster.reasons import COLLECTOR
from boxtune.experiment.experiment import DEFAULT_FILTER
from boxtune.runs.collector import collect_text
from tests.conftest import EXPERIMENTS
from tests.e2e.kubectl import TIME_LIMIT, kubectl, kubectl_json, wait_for_one_of
from tests.experiments import BOXTUNE


def short(
    file: Path,
    folder: Path,
    image: str,
    *more: str,
    lists: Mapping[str, Sequence[str]] | None = None,
    **spec: Any,
) -> Path:
    """The Experiment of `file` for a small machine and from the image of the tests, in `folder`.

    Args:
        more: arguments of each trial, instead of --set=epochs.
        lists: the values of parameters, instead of the Experiment's own.
        spec: fields of the Experiment's spec, instead of its own.
    """
    config_map, experiment = yaml.safe_load_all(file.read_text())
    experiment["spec"] |= {"parallelTrialCount": 1, **spec}
    container = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    container["image"] = image
    container["args"] = [*(each for each in container["args"] if not each.startswith("--set=epochs")), *more]
    container["resources"] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "4Gi"}}
    for parameter in experiment["spec"]["parameters"]:
        if parameter["name"] in (lists or {}):
            parameter["feasibleSpace"] = {"list": list((lists or {})[parameter["name"]])}
    written = folder / file.name
    written.write_text(yaml.safe_dump_all([config_map, experiment]))
    return written


def experiment_file(name: str) -> Path:
    """Of manifests/experiments, complete."""
    return EXPERIMENTS / f"{name}.yaml"


@contextmanager
def submitted(file: Path, namespace: str) -> Iterator[str]:
    """The Experiment's name; it is deleted in the end."""
    _, experiment = yaml.safe_load_all(file.read_text())
    name = experiment["metadata"]["name"]
    boxtune("submit", str(file), f"--namespace={namespace}")
    try:
        yield name
    finally:
        kubectl("delete", "experiment", name, "-n", namespace, "--ignore-not-found", "--timeout=180s")


def boxtune(*arguments: str) -> str:
    """A boxtune command's output; fails with its error."""
    done = subprocess.run([*BOXTUNE, *arguments], capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def status(namespace: str, experiment: str) -> dict[str, Any]:
    """What Katib says of the Experiment."""
    return dict(kubectl_json("get", "experiment", experiment, "-n", namespace).get("status") or {})


def outcome(namespace: str, experiment: str) -> str:
    """Succeeded or Failed, once it is one of them."""
    return wait_for_one_of(("Succeeded", "Failed"), f"experiment {experiment}", lambda: status(namespace, experiment))


def trial_pods(namespace: str, experiment: str) -> list[dict[str, Any]]:
    """The pods of its trials, oldest first."""
    found = kubectl_json("get", "pods", "-n", namespace, "-l", f"katib.kubeflow.org/experiment={experiment}")["items"]
    trials = [pod for pod in found if "katib.kubeflow.org/trial" in pod["metadata"]["labels"]]
    return sorted(trials, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


def trial_of(pod: Mapping[str, Any]) -> str:
    """The trial's name."""
    return str(pod["metadata"]["labels"]["katib.kubeflow.org/trial"])


def printed(namespace: str, pod: str) -> str:
    """What the trial in this pod has printed so far, as the real collector repeats it; empty before it starts."""
    done = subprocess.run(
        ["kubectl", "logs", "-n", namespace, pod, "-c", COLLECTOR], capture_output=True, text=True, check=False
    )
    return "\n".join(line.partition("] ")[2] for line in done.stdout.splitlines())


def measured(namespace: str, experiment: str) -> dict[str, float]:
    """The latest mAP in the log of each trial that printed one."""
    values = {}
    for pod in trial_pods(namespace, experiment):
        metrics = collect_text(printed(namespace, pod["metadata"]["name"]), ["mAP"], [DEFAULT_FILTER])
        value = metrics["mAP"].value("latest") if metrics else None
        if value is not None:
            values[trial_of(pod)] = value
    return values


def shown(namespace: str, experiment: str) -> dict[str, Any]:
    """The status in `boxtune show --json`."""
    return dict(json.loads(boxtune("show", experiment, "--json", f"--namespace={namespace}"))["status"])
