"""The pod that a Job makes, as the API server validates it: what it refuses long after Katib took the Experiment.

Source: `ValidatePodTemplateSpec` and what it calls in `kubernetes/pkg/apis/core/validation/validation.go`, as far as
people get it wrong. Every container is looked at, the first ones as well as those beside the trial's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from kubeflow_katib_api.models import IoK8sApiCoreV1ResourceRequirements as Resources
from kubeflow_katib_api.models import IoK8sApiCoreV1Volume as Volume

from boxtune.experiment.job import Container, PodSpec
from boxtune.experiment.metadata_validation import is_qualified
from boxtune.experiment.quantities import amount
from boxtune.experiment.trial_command import POD_PATH
from boxtune.problems import JOB_REFUSED, Problem, error

_MODES = 0o777
_PORTS = 65535
_FIELD = re.compile(
    r"metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['[^']+'\]|spec\.(nodeName|serviceAccountName)"
    r"|status\.(hostIP|podIP)s?"
)
_FIELDS = "metadata.name, metadata.namespace, metadata.uid, metadata.labels['NAME'], spec.nodeName or status.podIP"


def pod_problems(pod: PodSpec) -> Iterator[Problem]:
    """What of a pod's fields the API server refuses, each by itself of the right type."""
    held = [("initContainers", pod.init_containers or []), ("containers", pod.containers)]
    yield from _twice([(f"{kind}.{n}", each.name) for kind, some in held for n, each in enumerate(some)], "container")
    for kind, some in held:
        for number, each in enumerate(some):
            yield from _container(each, f"{POD_PATH}.{kind}.{number}")
    volumes = pod.volumes or []
    yield from _twice([(f"volumes.{number}", each.name) for number, each in enumerate(volumes)], "volume")
    for number, volume in enumerate(volumes):
        yield from _volume(volume, f"{POD_PATH}.volumes.{number}")
    for key in pod.node_selector or {}:
        if not is_qualified(key):
            what = f'"{key}" must be of letters, digits, "-", "_" and ".", after a domain and "/" if you like'
            yield _refused(f"{POD_PATH}.nodeSelector", what)
    if pod.active_deadline_seconds is not None and pod.active_deadline_seconds < 1:
        yield _refused(f"{POD_PATH}.activeDeadlineSeconds", f"{pod.active_deadline_seconds} must be above 0")


def _refused(path: str, what: str, right: str = "") -> Problem:
    return error(path, what, right, JOB_REFUSED)


def _twice(named: Iterable[tuple[str, str]], kind: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, name in named:
        if name in seen:
            yield _refused(f"{POD_PATH}.{place}.name", f"a {kind} {name} is there already", "give it another name")
        seen.add(name)


def _container(container: Container, path: str) -> Iterator[Problem]:
    if not container.image:
        yield _refused(f"{path}.image", "must be given")
    for number, entry in enumerate(container.env or ()):
        source = entry.value_from
        if source is not None and entry.value:
            yield _refused(f"{path}.env.{number}", f"{entry.name} has a value and a valueFrom", "leave one of them out")
        field = source.field_ref.field_path if source is not None and source.field_ref is not None else None
        if field is not None and not _FIELD.fullmatch(field):
            yield _refused(
                f"{path}.env.{number}.valueFrom.fieldRef.fieldPath",
                f"{field} is no field that a variable can have",
                f"write {_FIELDS}",
            )
    mounts = Counter(each.mount_path for each in container.volume_mounts or ())
    for number, mount in enumerate(container.volume_mounts or ()):
        if mounts[mount.mount_path] > 1:
            mounts[mount.mount_path] = 0  # said once
            yield _refused(f"{path}.volumeMounts.{number}.mountPath", f"{mount.mount_path} is mounted twice")
    for number, port in enumerate(container.ports or ()):
        if not 0 < port.container_port <= _PORTS:
            what = f"{port.container_port} is no port; ports go from 1 to {_PORTS}"
            yield _refused(f"{path}.ports.{number}.containerPort", what)
    if container.resources is not None:
        yield from _resources(container.resources, f"{path}.resources")


def _resources(resources: Resources, path: str) -> Iterator[Problem]:
    """Amounts below 0, and requests above their limits; of devices such as GPUs both must be the same."""
    limits, requests = _amounts(resources.limits), _amounts(resources.requests)
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            if value < 0:
                yield _refused(f"{path}.{kind}.{name}", "must not be below 0")
    for name, value in requests.items():
        limit, is_device = limits.get(name), "/" in name and "kubernetes.io/" not in name
        if is_device and limit != value:
            what = f"the request of {name} must be the same as its limit, which is "
            there = "left out" if limit is None else "another"
            yield _refused(f"{path}.requests.{name}", what + there, "write the limit alone")
        elif limit is not None and value > limit:
            yield _refused(f"{path}.requests.{name}", f"the request of {name} must not be above its limit")


def _amounts(given: Mapping[str, object] | None) -> dict[str, Fraction]:
    held = {name: getattr(each, "actual_instance", None) for name, each in (given or {}).items()}
    return {name: amount(str(each)) for name, each in held.items() if each is not None}


def _volume(volume: Volume, path: str) -> Iterator[Problem]:
    sources = {
        field.alias or name: getattr(volume, name)
        for name, field in type(volume).model_fields.items()
        if name != "name" and getattr(volume, name) is not None
    }
    if len(sources) > 1:
        yield _refused(path, f"{volume.name} is {' and '.join(sources)}", "leave one of them out")
    for kind, source in sources.items():
        modes = [(f"{kind}.defaultMode", getattr(source, "default_mode", None))]
        items = getattr(source, "items", None) or ()
        modes += [(f"{kind}.items.{number}.mode", each.mode) for number, each in enumerate(items)]
        for place, mode in modes:
            if mode is not None and not 0 <= mode <= _MODES:
                digits = str(mode)
                right = f"write 0{digits}" if re.fullmatch("[0-7]{3}", digits) else ""
                what = f"{mode} is no file mode; modes go from 0 to 0777 (511)"
                yield _refused(f"{path}.{place}", what, right)
