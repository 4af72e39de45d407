"""`boxtune pipeline submit`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxtune.cli.paths import experiment_file
from boxtune.cli.pipeline_options import Claims, Host, Image, Namespace, Parameters, claims_of, need_kfp
from boxtune.errors import ExperimentFailed, InputError, Interrupted
from boxtune.report.text import duration
from trial_entry.errors import DataError
from trial_entry.storage.folders import add_folder
from trial_entry.storage.urls import is_remote

if TYPE_CHECKING:
    from pipelines.following import Step
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
        _end(server, go_on(server, retry), wait)
        return
    if name is None:
        raise InputError("say which pipeline (boxtune pipeline list), or --retry RUN")
    from pipelines.parameters import arguments, refuse_missing
    from pipelines.placement import Placement

    claims = claims_of(claim)
    places = {"data": data, "annotations": annotations, "images": images}
    for option, place in places.items():
        _refuse_here(option, place, claims, upload if option == "data" else None)
    given = {option: place for option, place in places.items() if place is not None}
    if upload is not None:
        given["data"] = upload
    texts = {"experiment": _experiment(experiment), "config": _config(config)}
    given |= {option: text for option, text in texts.items() if text is not None}
    known = arguments(name, [*(f"{option}={value}" for option, value in given.items()), *(param or ())])
    refuse_missing(name, known)
    options = SubmitOptions(
        Placement.of(image, claims), run_name, kfp_experiment, cache, pipeline_root, service_account
    )
    server = connect(host, namespace)
    if upload is not None and data is not None:
        _upload(data, upload)
    _end(server, submit(server, name, known, options), wait)


def _end(server: Server, submitted: Submitted, wait: bool) -> None:
    """Say where the run is; follow it, if wanted.

    Raises:
        ExperimentFailed: it failed, or was ended.
    """
    from pipelines.following import SUCCEEDED, follow, last_words

    print(f"run {submitted.run_id}: {submitted.address}", flush=True)
    if not wait:
        return
    try:
        state = follow(server, submitted.run_id, _show, partial(print, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        raise Interrupted(f"the run goes on: {submitted.address}") from None
    if state.state == SUCCEEDED:
        print(f"{submitted.run_id} succeeded: its artifacts, report and metrics are at {submitted.address}")
        return
    why = [state.error] if state.error else last_words(server, submitted.run_id)
    told = "; ".join(why) or "KFP does not say why; the step's log does, at the address above"
    retry = f" (once the cause is mended: boxtune pipeline submit --retry {submitted.run_id})"
    again = retry if state.state == "FAILED" else ""
    raise ExperimentFailed(f"the run {state.state.lower()}: {told}{again}")


def _show(step: Step) -> None:
    took = f" after {duration(step.seconds)}" if step.seconds else ""
    print(f"{step.name}: {step.state.lower()}{', as an earlier run has it' if step.cached else took}", flush=True)


def _refuse_here(option: str, place: str | None, claims: dict[str, str], upload: str | None) -> None:
    """Raises InputError where a place is of this machine, which no step on a cluster sees."""
    if place is None or is_remote(place):
        return
    if upload is not None:
        if not os.path.isdir(place):
            raise InputError(f"--{option} {place}: no such folder to put to {upload}")
        return
    if any(place == path or place.startswith(f"{path.rstrip('/')}/") for path in claims.values()):
        return
    more = ", or --upload URL to put it there" if option == "data" else ""
    raise InputError(
        f"--{option} {place}: the steps on a cluster do not see this machine; give gs://, s3:// or minio://{more}, or "
        "a path in a claim (--claim NAME=/PATH)"
    )


def _experiment(given: str | None) -> str | None:
    """The text of the Experiment with its ConfigMaps; what the steps read themselves stays as it is."""
    if given is None or is_remote(given):
        return given
    from pipelines.steps.given import Changes, prepared

    return prepared(experiment_file(given), Changes())


def _config(given: str | None) -> str | None:
    if given is None or is_remote(given):
        return given
    from pipelines.steps.given import config_text

    return config_text(given)


def _upload(folder: str, url: str) -> None:
    print(f"putting {folder} to {url}", flush=True)
    try:
        add_folder(Path(folder), url)
    except DataError as problem:
        raise InputError(str(problem)) from None
