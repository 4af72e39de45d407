"""Submitting a pipeline: compiled, handed to a server with its arguments, and found again by its id."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import InputError
from pipelines.compiling import compiled
from pipelines.placement import Placement
from pipelines.server import Server, speaking_plainly
from pipelines.steps.given import MOST_BYTES


@dataclass(frozen=True)
class SubmitOptions:
    """How a run is made.

    Attributes:
        placement: image and claims.
        run_name: shown in the list of runs; None for the pipeline's and the Experiment's names.
        experiment: of KFP: runs are listed below it.
        cached: False: no step takes what an earlier run made.
        pipeline_root: where artifacts go; None for the namespace's own.
        service_account: of the steps; None for the namespace's own.
    """

    placement: Placement
    run_name: str | None = None
    experiment: str = "boxtune"
    cached: bool = True
    pipeline_root: str | None = None
    service_account: str | None = None


@dataclass(frozen=True)
class Submitted:
    """A run that was made.

    Attributes:
        run_id: its id.
        address: of its page in KFP's UI, which may be at another host than the API.
    """

    run_id: str
    address: str


def submit(server: Server, name: str, arguments: Mapping[str, object], options: SubmitOptions) -> Submitted:
    """Make a run of a pipeline.

    Args:
        name: of the pipeline.
        arguments: by parameter.

    Raises:
        InputError: the arguments are too large.
        ClusterError: the server refuses it.
    """
    _refuse_large(arguments)
    with tempfile.TemporaryDirectory(prefix="boxtune-submit-") as folder:
        package = Path(folder) / f"{name}.yaml"
        package.write_text(compiled(name, options.placement), encoding="utf-8")
        with speaking_plainly(server.host):
            found = server.client.create_run_from_pipeline_package(
                str(package),
                arguments=dict(arguments),
                run_name=options.run_name or name,
                experiment_name=options.experiment,
                namespace=server.namespace,
                pipeline_root=options.pipeline_root,
                enable_caching=None if options.cached else False,
                service_account=options.service_account,
            )
    return Submitted(found.run_id, address(server, found.run_id))


def retry(server: Server, run_id: str) -> Submitted:
    """Let a run that failed go on: steps that succeeded stay, the others start again and find what they left.

    Raises:
        ClusterError: there is no such run, or it has not failed.
    """
    with speaking_plainly(server.host):
        server.runs.run_service_retry_run(run_id)
    return Submitted(run_id, address(server, run_id))


def address(server: Server, run_id: str) -> str:
    """Of a run's page."""
    return f"{server.host}/#/runs/details/{run_id}"


def _refuse_large(arguments: Mapping[str, object]) -> None:
    sizes = {name: len(str(value).encode()) for name, value in arguments.items()}
    if sum(sizes.values()) > MOST_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise InputError(
            f"{largest}: {sizes[largest]} bytes, and a run's parameters may have {MOST_BYTES} together; put the file "
            "where the steps can read it (gs://, s3://, a claim) and give that"
        )
