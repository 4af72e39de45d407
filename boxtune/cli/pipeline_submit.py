"""`boxtune pipeline submit`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxtune.cli.options import ExperimentName
from boxtune.cli.paths import experiment_file
from boxtune.cli.pipeline_following import follow_to_the_end
from boxtune.cli.pipeline_options import Claims, Host, Image, Namespace, Parameters, claims_of, need_kfp
from boxtune.errors import InputError
from trial_entry.errors import DataError
from trial_entry.storage.folders import add_folder
from trial_entry.storage.urls import is_remote

if TYPE_CHECKING:
    from pipelines.server import Server
    from pipelines.submission import Submitted


def pipeline_submit(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="tune_and_train, train_only or import_tune_and_train")
    ] = None,
    experiment: Annotated[str | None, typer.Option(metavar="FILE", help="the Experiment")] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="the records: gs://, s3://, minio://, or a path in a claim (--claim)"),
    ] = None,
    config: Annotated[str | None, typer.Option(metavar="FILE", help="the pipeline.config to train")] = None,
    annotations: Annotated[str | None, typer.Option(metavar="PLACE", help="what records are to be made of")] = None,
    images: Annotated[
        str | None, typer.Option(metavar="PLACE", help="where the images lie, if not beside them")
    ] = None,
    upload: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="put the folder of this machine that --data names there first, where nothing else lies; read it there",
        ),
    ] = None,
    param: Parameters = None,
    experiment_name: ExperimentName = None,
    host: Host = None,
    namespace: Namespace = None,
    image: Image = None,
    claim: Claims = None,
    run_name: Annotated[str | None, typer.Option("--run-name", "--run_name", help="in the list of runs")] = None,
    kfp_experiment: Annotated[
        str, typer.Option("--kfp-experiment", "--kfp_experiment", help="what KFP lists the run below")
    ] = "boxtune",
    pipeline_root: Annotated[
        str | None,
        typer.Option("--pipeline-root", "--pipeline_root", metavar="URL", help="where artifacts go (as KFP has it)"),
    ] = None,
    service_account: Annotated[
        str | None, typer.Option("--service-account", "--service_account", help="of the steps (as KFP has it)")
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="take from earlier runs what has not changed")
    ] = True,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="follow the run to its end")] = True,
    retry: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="instead of a new run: let this one, which failed, go on"),
    ] = None,
) -> None:
    """Run a pipeline on Kubeflow Pipelines, and follow it.

    The server is where --host or KF_PIPELINES_ENDPOINT says; where it asks who you are, BOXTUNE_KFP_TOKEN has the
    token. Ctrl-C ends the following, not the run. Exit code 3 where the run failed: the last line says why.

    Example: boxtune pipeline submit tune_and_train --experiment experiment.yaml --data gs://bucket/drones
    """
    need_kfp()
    from pipelines.server import connect
    from pipelines.submission import SubmitOptions, submit
    from pipelines.submission import retry as go_on

    if retry is not None:
        server = connect(host, namespace)
        _show(server, go_on(server, retry), wait)
        return
    if name is None:
        raise InputError("say which pipeline (boxtune pipeline list), or --retry RUN")
    from pipelines.parameters import arguments, refuse_missing
    from pipelines.placement import Placement

    claims = claims_of(claim)
    named = {"data": data, "annotations": annotations, "images": images}
    uploads = _uploads(named, upload) if upload is not None else []
    for option, place in named.items():
        if upload is None:
            _refuse_here(option, place, claims)
    given = {option: place for option, place in named.items() if place is not None}
    given |= {each.option: each.place for each in uploads}
    texts = {"experiment": _experiment(experiment, experiment_name), "config": _config(config)}
    given |= {option: text for option, text in texts.items() if text is not None}
    known = arguments(name, [*(f"{option}={value}" for option, value in given.items()), *(param or ())])
    refuse_missing(name, known)
    options = SubmitOptions(
        Placement.of(image, claims), run_name, kfp_experiment, cache, pipeline_root, service_account
    )
    server = connect(host, namespace)
    for each in uploads:
        _upload(each)
    _show(server, submit(server, name, known, options), wait)


def _show(server: Server, submitted: Submitted, wait: bool) -> None:
    print(f"run {submitted.run_id}: {submitted.address}", flush=True)
    if wait:
        follow_to_the_end(server, submitted)
    else:
        print(f"boxtune pipeline watch {submitted.run_id} follows it")


@dataclass(frozen=True)
class _Upload:
    """What of this machine is put into a bucket.

    Attributes:
        option: that names it.
        source: a folder, or a file that goes alone.
        url: of the prefix.
        place: what the steps are told.
    """

    option: str
    source: Path
    url: str
    place: str


def _uploads(named: Mapping[str, str | None], url: str) -> list[_Upload]:
    """Raises InputError where there is nothing of this machine to put there, or it is not there."""
    here = {option: Path(place) for option, place in named.items() if place is not None and not is_remote(place)}
    if not here:
        raise InputError(f"--upload {url}: --data, --annotations and --images name nothing here to put there")
    missing = next((option for option, path in here.items() if not os.path.exists(path)), None)
    if missing is not None:
        raise InputError(f"--{missing} {here[missing]}: no such file or folder to put to {url}")
    return [_upload_of(option, path, url.rstrip("/"), "images" in here) for option, path in here.items()]


def _upload_of(option: str, path: Path, url: str, has_images: bool) -> _Upload:
    prefix = url if option == "data" else f"{url}/{option}"
    if path.is_dir():
        return _Upload(option, path, prefix, prefix)
    if option == "annotations" and not has_images:  # the images lie beside it
        return _Upload(option, path.absolute().parent, prefix, f"{prefix}/{path.name}")
    return _Upload(option, path, prefix, f"{prefix}/{path.name}")


def _refuse_here(option: str, place: str | None, claims: Mapping[str, str]) -> None:
    """Raises InputError where a place is of this machine, which no step on a cluster sees."""
    if place is None or is_remote(place):
        return
    if any(place == path or place.startswith(f"{path.rstrip('/')}/") for path in claims.values()):
        return
    raise InputError(
        f"--{option} {place}: the steps on a cluster do not see this machine; give gs://, s3:// or minio://, or "
        "--upload URL to put it there, or a path in a claim (--claim NAME=/PATH)"
    )


def _experiment(given: str | None, name: str | None) -> str | None:
    """The text of the Experiment (of this name, if one is given) with its ConfigMaps; what the steps read themselves
    stays as it is.

    Raises:
        InputError: a name, and no file here to choose from.
    """
    if name is not None and (given is None or is_remote(given)):
        raise InputError(f"--name {name}: chooses an Experiment of a file of this machine, which --experiment names")
    if given is None or is_remote(given):
        return given
    from pipelines.steps.given import Changes, prepared

    return prepared(experiment_file(given), Changes(), name)


def _config(given: str | None) -> str | None:
    if given is None or is_remote(given):
        return given
    from pipelines.steps.given import config_text

    return config_text(given)


def _upload(upload: _Upload) -> None:
    print(f"putting {upload.source} to {upload.url}", flush=True)
    with tempfile.TemporaryDirectory(prefix="boxtune-upload-") as name:
        folder = upload.source
        if folder.is_file():
            folder = Path(name)
            (folder / upload.source.name).symlink_to(upload.source.absolute())
        try:
            add_folder(folder, upload.url)
        except DataError as problem:
            raise InputError(str(problem)) from None
