"""The step that searches: by Katib on the cluster, or within itself; what it leaves is a run, wherever it ran.

katib   the Experiment is made and waited for; a step that was restarted finds it again by its name
local   the engine of `boxtune run`; its journal is kept where a restarted step finds it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from boxtune.cluster.searching import SearchOptions, refuse_failed, search_name, search_on_katib
from boxtune.cluster.trial_data import DataSource
from boxtune.errors import InputError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from boxtune.local.engine import LocalEngine
from boxtune.local.options import RunOptions
from boxtune.local.recording import record_run
from boxtune.report.progress_lines import PlainListener
from boxtune.report.verdict import verdict
from boxtune.runs.run import Run
from pipelines.steps.datasets import DIGEST, PLACE, dataset_folder, volumes_here
from pipelines.steps.digests import KATIB
from pipelines.steps.given import written
from pipelines.steps.keeping import KeepingListener, keep_from
from pipelines.steps.values import Values
from trial_entry.storage.urls import is_remote


@dataclass(frozen=True)
class SearchAsked:
    """What is to be searched, and where.

    Attributes:
        experiment: the text of the Experiment, prepared.
        engine: KATIB or LOCAL.
        volume: the pod's volume that the records stand for.
        dataset_path, dataset_uri, dataset: of the Dataset artifact: path on this machine, URI, metadata.
        namespace: that the Experiment is made in; empty for this pod's.
        run_id: of the pipeline's run.
        workflow: Argo's Workflow of the run, which is to own the Experiment.
        cache_claim: that the trials share for what they fetch; empty for none.
        journal: where engine LOCAL keeps its journal: a folder or URL; empty for below the run's pipeline root.
        data_digest: what the first step says of all that the records come from: with another, engine LOCAL begins anew.
    """

    experiment: str
    engine: str
    volume: str
    dataset_path: str
    dataset_uri: str
    dataset: Mapping[str, object]
    namespace: str = ""
    run_id: str = ""
    workflow: str = ""
    cache_claim: str = ""
    journal: str = ""
    data_digest: str = ""


def search(asked: SearchAsked, out: Path, uri: str, about: dict[str, object], metrics: Values) -> None:
    """Search until the Experiment is over; `out` is then the folder of the run.

    Args:
        uri: of the artifact that `out` is of.
        about: takes what the artifact says of itself.
        metrics: takes the best objective, the base config's, and how many trials there were.

    Raises:
        ExperimentFailed: too many trials failed.
        InputError: the Experiment cannot be searched here, or the cluster refuses it.
        Interrupted: a signal came; a restarted step goes on.
    """
    experiment = load_experiment(written(asked.experiment))
    run = _on_katib(experiment, asked, out) if asked.engine == KATIB else _here(experiment, asked, out, uri)
    for line in verdict(replace(run, folder=None)):  # without what to do next: the next step does it
        print(line, flush=True)
    if run.optimal is None:
        raise InputError(
            f"{experiment.name}: no trial has succeeded, so there is nothing to train; look at the log above"
        )
    about |= _about(run)
    metrics.keep(_measured(run))


def _here(experiment: Experiment, asked: SearchAsked, out: Path, uri: str) -> Run:
    volumes = volumes_here(experiment, asked.volume, dataset_folder(asked.dataset_path, asked.dataset))
    options = RunOptions(volumes=volumes)
    data = f"{asked.data_digest} {asked.dataset.get(DIGEST, '')}"
    keep = keep_from(asked.journal, uri, asked.run_id, experiment.name, data)
    keep.bring(out)
    with PlainListener(_console()) as listener:
        run = LocalEngine(experiment, keep.folder(out), options, KeepingListener(listener, keep, out)).run()
    keep.hand_over(out)
    return run


def _on_katib(experiment: Experiment, asked: SearchAsked, out: Path) -> Run:
    place = str(asked.dataset.get(PLACE) or asked.dataset_uri)
    options = SearchOptions(
        search_name(asked.workflow, experiment.name),
        {asked.volume: DataSource(place)} if is_remote(place) else {},  # a claim is the trials' own
        asked.workflow,
        asked.namespace or None,
        asked.cache_claim,
    )
    with PlainListener(_console()) as listener:
        run = search_on_katib(experiment, options, listener)
    record_run(run, out)
    refuse_failed(run)
    return run


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, width=200)


def _about(run: Run) -> dict[str, object]:
    experiment, best = run.experiment, run.optimal
    about: dict[str, object] = {"experiment": experiment.name, "algorithm": experiment.algorithm}
    if best is not None:
        about |= {"best_trial": best.name, "assignments": dict(best.assignments)}
    return about


def _measured(run: Run) -> dict[str, object]:
    objective, measured = run.experiment.objective, dict[str, object]()
    for name, trial in (("best", run.optimal), ("base", run.baseline)):
        value = trial.measured_value(objective) if trial is not None else None
        if value is not None:
            measured[f"{name}_{objective.metric}"] = value
    measured["trials"] = len(run.trials)
    measured["failed_trials"] = sum(trial.condition.failed for trial in run.trials)
    return measured
