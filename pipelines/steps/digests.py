"""The first step, never cached: what lies behind paths, as digests, so that other steps' cache keys follow it.

KFP's cache key has a step's inputs, image and command, and not what lies behind a path. It also finds what is wrong
with the parameters before anything has cost time: an Experiment that `boxtune check` refuses ends the pipeline here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import boxtune
import pipelines
import trial_entry
from boxtune.checking.check import CheckOptions, check
from boxtune.delivery.asking import request_errors
from boxtune.errors import ExperimentError, InputError
from boxtune.experiment.loading import load_experiment
from boxtune.problems import Problem, errors_of
from pipelines.steps.given import Changes, config_text, experiment_file, place_digest, prepared, written
from pipelines.steps.named_files import config_files_digest, experiment_files_digest, images_digest
from pipelines.steps.stores import opened
from trial_entry.contract.exports import FORMATS
from trial_entry.contract.versions import versions
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.inputs import TEST
from trial_entry.storage.store import open_store
from trial_entry.storage.urls import is_remote, refuse_writing

KATIB, LOCAL = "katib", "local"
_CODE = (".py", ".pbtxt", ".html", ".css", ".yaml")
ENGINES = (KATIB, LOCAL)
SPLITS = (TEST, "validation")
_LONGEST, _SHOWN = 200, 60  # bytes and letters of a model's name


@dataclass(frozen=True)
class Asked:
    """A pipeline's parameters, as far as they can be looked at before any work; empty where a pipeline has none.

    Attributes:
        experiment, config: a text, a path or a URL.
        data: the folder or URL of records.
        annotations, images: what records are to be made of.
        annotations_format: theirs; empty to find it by looking.
        volume: the pod's volume that the records stand for.
        engine: KATIB or LOCAL.
        changes: of the Experiment.
        seeds: how many trainings.
        formats: of the export; none for all that the model can.
        split: that is measured on.
        publish_to: where versions go; empty for nowhere else than the artifact.
        model_name: of the published model.
        image: that the steps run in, as it was compiled.
    """

    experiment: str = ""
    config: str = ""
    data: str = ""
    annotations: str = ""
    images: str = ""
    annotations_format: str = ""
    volume: str = "data"
    engine: str = LOCAL
    changes: Changes = Changes()  # noqa: RUF009 (frozen)
    seeds: int = 1
    formats: Sequence[object] = ()  # KFP looks at no list's items
    split: str = TEST
    publish_to: str = ""
    model_name: str = "detector"
    image: str = ""


class Digests(NamedTuple):
    """What the other steps take.

    Attributes:
        experiment: complete, as it is searched; empty where none was given.
        config: its text; empty where none was given.
        data: SHA-256 of the records; after a blank that of the files elsewhere that config or Experiment name, if any.
        sources: SHA-256 of annotations, images, and such files, with blanks between.
        software: what runs the steps: image, versions, and SHA-256 of the code, for a tag may be another image today.
    """

    experiment: str
    config: str
    data: str
    sources: str
    software: str


def digests(asked: Asked) -> Digests:
    """Look at the parameters, check the Experiment, digest what lies behind paths.

    Raises:
        ExperimentError: the Experiment is refused; what is wrong was printed, a line each.
        InputError: a parameter names nothing, or has no such value.
    """
    _refuse_wrong_values(asked)
    experiment = _checked_experiment(asked) if asked.experiment else ""
    config = _checked_config(asked.config) if asked.config else ""
    _refuse_unwritable(asked.publish_to)
    named = _named(asked, experiment, config)
    found = Digests(
        experiment,
        config,
        " ".join([place_digest(asked.data), *named]) if asked.data else "",
        " ".join([*_sources(asked), *named]) if asked.annotations else "",
        f"{asked.image} {versions()} {_code_digest()}",
    )
    for name, value in found._asdict().items():
        if value and name not in ("experiment", "config"):
            print(f"{name}: {value}")
    return found


def _named(asked: Asked, experiment: str, config: str) -> list[str]:
    """Of files that Experiment and config name outside the data."""
    found = (
        [experiment_files_digest(load_experiment(written(experiment)), asked.volume, asked.data)] if experiment else []
    )
    found += [config_files_digest(config, asked.data)] if config else []
    return [each for each in found if each]


def _sources(asked: Asked) -> list[str]:
    beside = images_digest(asked.annotations, asked.annotations_format) if not asked.images else ""
    found = [place_digest(place) for place in (asked.annotations, asked.images) if place]
    return [*found, beside] if beside else found


def _code_digest() -> str:
    packages = [Path(package.__file__ or "").parent for package in (boxtune, pipelines, trial_entry)]
    files = sorted(file for each in packages for file in each.rglob("*") if file.suffix in _CODE)
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} ".encode() + file.read_bytes())
    return digest.hexdigest()


def _refuse_wrong_values(asked: Asked) -> None:
    """Raises InputError where a parameter has a value that it cannot have."""
    if asked.engine not in ENGINES:
        raise InputError(f'engine "{asked.engine}": must be {" or ".join(ENGINES)}')
    if asked.split not in SPLITS:
        raise InputError(f'split "{asked.split}": must be {" or ".join(SPLITS)}')
    for name, value, least in (
        ("max_trials", asked.changes.max_trials, 0),
        ("num_steps", asked.changes.num_steps, 0),
        ("parallel", asked.changes.parallel, 0),
        ("seeds", asked.seeds, 1),
    ):
        if value < least:
            raise InputError(f"{name} {value}: must be a number from {least}")
    unknown = [each for each in asked.formats if not isinstance(each, str) or each not in FORMATS]
    if unknown:
        shown = unknown[0] if isinstance(unknown[0], str) else json.dumps(unknown[0])
        raise InputError(f"formats: there is no {shown}; there are {', '.join(FORMATS)}")
    _refuse_wrong_name(asked.model_name)


def _refuse_wrong_name(name: str) -> None:
    """Raises InputError where a folder cannot have the model's name."""
    if (
        not name.strip()
        or name in (".", "..")
        or "/" in name
        or not name.isprintable()
        or len(name.encode()) > _LONGEST
    ):
        what = f"must be a name without slashes, of 1 to {_LONGEST} bytes, such as detector"
        raise InputError(f"model_name {json.dumps(name[:_SHOWN], ensure_ascii=False)}: {what}")


def _checked_experiment(asked: Asked) -> str:
    file = experiment_file(asked.experiment)
    found = check(file, CheckOptions(katib=asked.engine == KATIB))
    print_problems([each for each in found if each.severity != "note"])  # of the data, which are looked at next
    errors = errors_of(found)
    if errors:
        more = f"; {len(errors) - 1} more, listed above" if len(errors) > 1 else ""
        raise ExperimentError(f"the Experiment is refused: line {errors[0].line}: {errors[0].placed}{more}")
    return prepared(file, asked.changes)


def print_problems(found: Sequence[Problem]) -> None:
    """One line each, with its line of the Experiment."""
    for each in found:
        print(f"experiment, line {each.line}: {each}", flush=True)


def _checked_config(given: str) -> str:
    text = config_text(given)
    with request_errors():
        BaseConfig.parse(text, "config").model([])
    return text


def _refuse_unwritable(place: str) -> None:
    """Raises InputError where no version can be published at a place: better now than after a night's search."""
    if not place:
        return
    if is_remote(place):
        with request_errors():
            refuse_writing(place)
            open_store(opened(place)).names()
        return
    if not Path(place).is_absolute():  # file:// and ~ too: they would be folders of the step's own working folder
        raise InputError(f"publish_to {place}: write gs://BUCKET/PREFIX, or the whole path of a folder: /FOLDER")
    with request_errors():
        open_store(place).names()
    folder = Path(place)
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"publish_to {place}: {there} cannot be written here; give another place, or none")
