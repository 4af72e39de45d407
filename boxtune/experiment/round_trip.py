"""What of a Job Katib's webhook does not find again after Go has read it into its types and written it back.

The webhook compares the two and refuses what differs: a `false`, `0`, `""`, `[]`, `{}` or null that Go leaves out, an
amount or a time that Go writes otherwise. Source: `validatePatchJob` in `validator.go` of Katib v0.19; the fields by
reflection over `k8s.io/api/batch/v1.Job`, v0.34, which that Katib is built with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import get_args, get_origin

from pydantic import BaseModel

from boxtune.experiment.quantities import canonical
from boxtune.experiment.shape import QUANTITY, inside, leaves, nested_models
from boxtune.experiment.source import Json, JsonObject
from boxtune.problems import REFUSED, Problem, error

# Texts, numbers and truth values that are no pointers in Go, and left out where they are empty, by Go's type.
_LEFT_OUT: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in (
        ("AWSElasticBlockStoreVolumeSource", "fsType partition readOnly"),
        ("AzureFileVolumeSource", "readOnly"),
        ("CephFSVolumeSource", "path readOnly secretFile user"),
        ("CinderVolumeSource", "fsType readOnly"),
        ("ConfigMapEnvSource", "name"),
        ("ConfigMapKeySelector", "name"),
        ("ConfigMapProjection", "name"),
        ("ConfigMapVolumeSource", "name"),
        (
            "Container",
            "image imagePullPolicy stdin stdinOnce terminationMessagePath terminationMessagePolicy tty workingDir",
        ),
        ("ContainerPort", "hostIP hostPort name protocol"),
        ("ContainerRestartRule", "action"),
        ("ContainerRestartRuleOnExitCodes", "operator"),
        ("EmptyDirVolumeSource", "medium"),
        ("EnvFromSource", "prefix"),
        ("EnvVar", "value"),
        (
            "EphemeralContainer",
            "image imagePullPolicy stdin stdinOnce targetContainerName terminationMessagePath "
            "terminationMessagePolicy tty workingDir",
        ),
        ("FCVolumeSource", "fsType readOnly"),
        ("FlexVolumeSource", "fsType readOnly"),
        ("FlockerVolumeSource", "datasetName datasetUUID"),
        ("GCEPersistentDiskVolumeSource", "fsType partition readOnly"),
        ("GitRepoVolumeSource", "directory revision"),
        ("GlusterfsVolumeSource", "readOnly"),
        ("HTTPGetAction", "host path scheme"),
        ("ISCSIVolumeSource", "chapAuthDiscovery chapAuthSession fsType iscsiInterface readOnly"),
        ("ImageVolumeSource", "pullPolicy reference"),
        ("Job", "apiVersion kind"),
        ("JobCondition", "message reason"),
        ("JobStatus", "active completedIndexes failed succeeded"),
        ("LocalObjectReference", "name"),
        ("ManagedFieldsEntry", "apiVersion fieldsType manager operation subresource"),
        ("NFSVolumeSource", "readOnly"),
        ("ObjectFieldSelector", "apiVersion"),
        ("ObjectMeta", "generateName generation name namespace resourceVersion selfLink uid"),
        ("PersistentVolumeClaimSpec", "volumeName"),
        ("PersistentVolumeClaimVolumeSource", "readOnly"),
        ("PhotonPersistentDiskVolumeSource", "fsType"),
        ("PodCertificateProjection", "certificateChainPath credentialBundlePath keyPath keyType signerName"),
        ("PodDNSConfigOption", "name"),
        (
            "PodSpec",
            "dnsPolicy hostIPC hostNetwork hostPID hostname nodeName priorityClassName restartPolicy "
            "schedulerName serviceAccount serviceAccountName subdomain",
        ),
        ("PortworxVolumeSource", "fsType readOnly"),
        ("Probe", "failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds"),
        ("QuobyteVolumeSource", "group readOnly tenant user"),
        ("RBDVolumeSource", "fsType keyring pool readOnly user"),
        ("ResourceClaim", "request"),
        ("ResourceFieldSelector", "containerName"),
        ("SELinuxOptions", "level role type user"),
        ("ScaleIOVolumeSource", "fsType protectionDomain readOnly sslEnabled storageMode storagePool volumeName"),
        ("SecretEnvSource", "name"),
        ("SecretKeySelector", "name"),
        ("SecretProjection", "name"),
        ("SecretVolumeSource", "secretName"),
        ("ServiceAccountTokenProjection", "audience"),
        ("StorageOSVolumeSource", "fsType readOnly volumeName volumeNamespace"),
        ("TCPSocketAction", "host"),
        ("Toleration", "effect key operator value"),
        ("VolumeMount", "readOnly subPath subPathExpr"),
        ("VsphereVirtualDiskVolumeSource", "fsType storagePolicyID storagePolicyName"),
    )
}
# Lists that Go writes though they are empty.
_WRITTEN: Mapping[str, str] = {
    "CephFSVolumeSource": "monitors",
    "GRPCAction": "service",
    "JobCondition": "lastProbeTime lastTransitionTime",
    "NodeSelector": "nodeSelectorTerms",
    "PodFailurePolicy": "rules",
    "PodFailurePolicyOnExitCodesRequirement": "values",
    "PodSpec": "containers",
    "ProjectedVolumeSource": "sources",
    "RBDVolumeSource": "monitors",
    "ScaleIOVolumeSource": "secretRef",
    "SuccessPolicy": "rules",
    "TypedLocalObjectReference": "apiGroup",
    "TypedObjectReference": "apiGroup",
}
_PREFIXES = re.compile(r"^(_|IoK8sApiCoreV1|IoK8sApimachineryPkgApisMetaV1)")
# What a pod cannot do without, though the types may.
_NEEDED = {"Container": {"image": "name of an image"}, "PodSpec": {"restartPolicy": "word Never"}}
_NOT_COMPARED = ("limits", "requests")  # of resources: amounts there may be written as one likes
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TIMES = ("creationTimestamp", "deletionTimestamp")


def round_trip_problems(model: type[BaseModel], raw: JsonObject, path: str) -> Iterator[Problem]:
    """What of `raw`, which has the structure of `model`, would come back otherwise or not at all."""
    nested, kind = nested_models(model), _PREFIXES.sub("", model.__name__)
    for key, value in raw.items():
        where = inside(path, key)
        if _is_lost(model, kind, key, value):
            what, right = f"Katib refuses an explicit {_shown(value)} here", "leave it out"
            if not value and key in _NEEDED.get(kind, ()):
                what, right = "is left empty", f"write the {_NEEDED[kind][key]}"
            yield error(where, what, right, REFUSED)
        elif key in nested:
            yield from _inner_problems(*nested[key], value, where, key)
        elif key in _TIMES and not _TIME.fullmatch(str(value)):
            yield error(where, f'"{value}" must be a time as Kubernetes writes it', "leave it out", REFUSED)
        elif value is not None:
            yield from _nulls(value, where)


def _inner_problems(
    container: type | None, model: type[BaseModel], value: Json, path: str, key: str
) -> Iterator[Problem]:
    items: list[tuple[object, Json]] = [("", value)]
    if container is list:
        items = list(enumerate(value or ()))
    elif container is dict:
        items = list((value or {}).items())
    for name, item in items:
        where = path if container is None else inside(path, name)
        if item is None and key not in _NOT_COMPARED:
            yield from _nulls(item, where)
        elif model.__name__ == QUANTITY:
            if key not in _NOT_COMPARED:
                yield from _amount(item, where)
        elif isinstance(item, Mapping):
            yield from round_trip_problems(model, item, where)


def _is_lost(model: type[BaseModel], kind: str, key: str, value: object) -> bool:
    if key in _WRITTEN.get(kind, "").split() and value in (None, []):
        return False
    if value is None:
        return True
    if isinstance(value, list | Mapping):
        return not value and _holds_many(model, key)
    return value in ("", 0) and key in _LEFT_OUT.get(kind, ())


def _holds_many(model: type[BaseModel], key: str) -> bool:
    """Whether the field is a list or a mapping by any names; an empty object is written."""
    field = next(each for name, each in model.model_fields.items() if (each.alias or name) == key)
    return any(get_origin(each) in (list, dict) for each in (field.annotation, *get_args(field.annotation)))


def _nulls(value: object, path: str) -> Iterator[Problem]:
    """Nothing where a text, number or object must stand, in lists and mappings too."""
    for where, leaf in leaves(value, path):
        if leaf is None:
            yield error(where, "Katib refuses an explicit null here", "leave it out", REFUSED)


def _amount(value: object, path: str) -> Iterator[Problem]:
    written = canonical(str(value).strip())
    if value != written:
        what = f"Katib refuses {_shown(value)} here, which Kubernetes writes as {written}"
        yield error(path, what, f'write "{written}"', REFUSED)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
