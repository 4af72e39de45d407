"""Where a pipeline's steps run: their image, claims, requests; what KFP takes when it is compiled, and what a run says.

KFP takes claims and requests when a pipeline is compiled. GPUs, memory, tolerations and node selectors are parameters
of the run: the backend fills them in. It reads those of the container as texts: a GPU's number that is a number would
be taken for none, so it is a text, and empty for no GPU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kfp import kubernetes
from kfp.dsl import PipelineTask

from boxtune.errors import InputError
from trial_entry.contract.versions import boxtune_version


def default_image() -> str:
    """The image of this version, for processors."""
    return f"boxtune-pipeline:{boxtune_version()}-cpu"


@dataclass(frozen=True)
class Placement:
    """What is decided when a pipeline is compiled.

    Attributes:
        image: of the steps, with tag or digest.
        claims: mount path by the claim's name; every step sees them.
        cpu_request, memory_request: of a step that trains, measures or exports; the others ask for less.
    """

    image: str = field(default_factory=default_image)
    claims: Mapping[str, str] = field(default_factory=dict)
    cpu_request: str = "500m"
    memory_request: str = "1Gi"

    @classmethod
    def of(cls, image: str | None, claims: Mapping[str, str]) -> Placement:
        """Raises InputError where the image has no name of one, or a claim cannot be mounted there."""
        if image is not None and not _IMAGE.fullmatch(image):
            raise InputError(f'--image "{image}": must be an image\'s name, such as registry.example.org/name@sha256:…')
        for name, path in claims.items():
            if not _CLAIM.fullmatch(name):
                raise InputError(f'--claim "{name}={path}": a claim has small letters, digits, - and . in its name')
            top = f"/{path.strip('/').partition('/')[0]}"
            if top in _IMAGE_S_OWN:
                raise InputError(f'--claim "{name}={path}": hides what the image has in {top}; mount it elsewhere')
        paths = [path.rstrip("/") for path in claims.values()]
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            raise InputError(f"--claim: two claims at {twice}; give each a path of its own")
        return cls(image or default_image(), dict(claims))


@dataclass(frozen=True)
class Scheduling:
    """What a run says; each is a parameter of the pipeline.

    Attributes:
        gpus, gpu_type: the container's limit; `gpus` is empty for none.
        memory: the container's limit.
        tolerations: as in a pod.
        node_selector: as in a pod.
    """

    gpus: object
    gpu_type: object
    memory: object
    tolerations: object
    node_selector: object


_IMAGE = re.compile(r"[a-z0-9][\w.:/@-]*")
_CLAIM = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_IMAGE_S_OWN = ("/", "/usr", "/opt", "/etc", "/bin", "/lib", "/proc", "/sys", "/dev", "/var", "/tmp")
_LIGHT_CPU, _LIGHT_MEMORY = "100m", "512Mi"


def place(task: PipelineTask, placement: Placement, cached: bool = True) -> PipelineTask:
    """A step that only looks at files and the cluster."""
    task.set_container_image(placement.image)
    task.set_caching_options(cached)
    task.set_cpu_request(_LIGHT_CPU)
    task.set_memory_request(_LIGHT_MEMORY)
    kubernetes.set_image_pull_policy(task, "IfNotPresent")
    for claim, path in placement.claims.items():
        kubernetes.mount_pvc(task, claim, path)
    return task


def place_heavy(task: PipelineTask, placement: Placement, scheduling: Scheduling) -> PipelineTask:
    """A step that trains, or has a model in memory."""
    place(task, placement)
    task.set_cpu_request(placement.cpu_request)
    task.set_memory_request(placement.memory_request)
    return _schedule(task, scheduling)


def place_search(task: PipelineTask, placement: Placement, scheduling: Scheduling) -> PipelineTask:
    """The search, never from the cache: it may wait for Katib, and so asks for little, and may use what is there."""
    return _schedule(place(task, placement, cached=False), scheduling)


def _schedule(task: PipelineTask, scheduling: Scheduling) -> PipelineTask:
    task.set_memory_limit(scheduling.memory)
    task.set_accelerator_type(scheduling.gpu_type)
    task.set_accelerator_limit(scheduling.gpus)
    kubernetes.add_toleration_json(task, scheduling.tolerations)
    kubernetes.add_node_selector_json(task, scheduling.node_selector)
    return task
