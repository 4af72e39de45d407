"""The step that trains the best trial's config of a run, or a config, to its end: as `boxtune train` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.delivery.recipe import Recipe, run_recipe, text_recipe
from boxtune.delivery.training import TrainOptions
from boxtune.delivery.training import train as train_recipe
from boxtune.local.reading import open_run
from pipelines.steps.datasets import dataset_folder, volumes_here
from pipelines.steps.event_names import shorten_event_names
from pipelines.steps.values import Values


@dataclass(frozen=True)
class TrainAsked:
    """What is to be trained.

    Attributes:
        run: the path of the run's artifact; empty where a config is trained.
        config: its text; empty where a run's best trial is trained.
        volume: the pod's volume that the records stand for.
        dataset_path, dataset: of the Dataset artifact: path on this machine, metadata.
        seeds: how many trainings; the best on the validation split is the model.
        seed: the first; -1 to go on from the best trial's own checkpoint where it is there.
        num_steps: of a config, instead of its own; 0 for these.
    """

    run: str
    config: str
    volume: str
    dataset_path: str
    dataset: Mapping[str, object]
    seeds: int = 1
    seed: int = -1
    num_steps: int = 0


def train(asked: TrainAsked, out: Path, about: dict[str, object], metrics: Values) -> None:
    """Train; `out` is then a model as `boxtune train --out` leaves it.

    Args:
        about: takes what the Model artifact says of itself.
        metrics: takes those on the validation split of the seed that was chosen.

    Raises:
        InputError: there is nothing that can be trained.
        Interrupted: a signal came.
    """
    recipe = _recipe(asked, dataset_folder(asked.dataset_path, asked.dataset))
    command = ("boxtune", "pipeline", "train")
    options = TrainOptions(out, asked.seeds, None if asked.seed < 0 else asked.seed, command=command)
    record = train_recipe(recipe, options, lambda line: print(line, flush=True))
    shorten_event_names(out)
    chosen = next(each for each in record.seeds if each.folder == record.chosen)
    metrics.keep(chosen.metrics)
    about |= {
        "framework": "tensorflow",
        "experiment": record.experiment,
        "trial": record.trial,
        "assignments": dict(record.assignments),
        "config_digest": record.config_digest,
        "seed": chosen.seed,
        "step": chosen.step,
    }


def _recipe(asked: TrainAsked, folder: Path) -> Recipe:
    if asked.config:
        return text_recipe(asked.config, folder, asked.num_steps or None)
    run = open_run(Path(asked.run))
    return run_recipe(run, run.experiment.name, None, volumes_here(run.experiment, asked.volume, folder))
