"""What a pipeline's parameters name: an Experiment or a config, as text, a file or a URL; and places with data."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.digests import sha256_of
from boxtune.delivery.asking import request_errors
from boxtune.errors import InputError
from boxtune.experiment.editing import with_counts, with_image, with_num_steps
from boxtune.experiment.loading import load_experiment, local_experiment
from boxtune.experiment.writing import experiment_text
from pipelines.steps.stores import opened
from trial_entry.storage import objects
from trial_entry.storage.folders import listing_digest
from trial_entry.storage.paths import local_file
from trial_entry.storage.snapshot import followed_files
from trial_entry.storage.urls import is_remote, parts

EXPERIMENT_NAME = "experiment.yaml"
MOST_BYTES = 60_000  # of a parameter: KFP's backend takes about 64 kB, quotes and escapes with it


@dataclass(frozen=True)
class Changes:
    """What of an Experiment a pipeline's parameters change.

    Attributes:
        max_trials, parallel, num_steps: instead of its own; 0 for these.
        trial_image: of the trials; empty for its own.
    """

    max_trials: int = 0
    parallel: int = 0
    num_steps: int = 0
    trial_image: str = ""


def experiment_file(given: str) -> Path:
    """The Experiment's file: of the text itself, on this machine, or a copy of a URL's.

    Raises:
        InputError: a bucket cannot be read.
    """
    if not is_text(given):
        with request_errors():
            return local_experiment(opened(given))
    return written(given)


def written(text: str) -> Path:
    """A file of its own that holds the text of an Experiment."""
    file = Path(tempfile.mkdtemp(prefix="boxtune-step-")) / EXPERIMENT_NAME
    file.write_text(text, encoding="utf-8")
    return file


def config_text(given: str) -> str:
    """A pipeline.config's text: itself, or what the file or URL holds.

    Raises:
        InputError: there is no such file, or it is no text.
    """
    if is_text(given):
        return _short(given, "config")
    try:
        with request_errors():
            return _short(local_file(opened(given)).read_text(encoding="utf-8"), given)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{given}: cannot be read: {error}; give a pipeline.config's text, path or URL") from None


def prepared(file: Path, asked: Changes, name: str | None = None) -> str:
    """The Experiment in `file` as the pipeline searches it, its ConfigMaps with it, as the text of one file.

    Args:
        name: of the Experiment, where the file holds several.

    Raises:
        InputError: it is none, a change cannot be, or it is too long to be handed from step to step.
    """
    experiment = with_counts(load_experiment(file, name), asked.max_trials or None, asked.parallel or None)
    experiment = with_num_steps(experiment, asked.num_steps or None)
    if asked.trial_image:
        experiment = with_image(experiment, asked.trial_image)
    return _short(experiment_text(experiment), experiment.name)


def place_digest(place: str) -> str:
    """SHA-256 over names, sizes and contents of the file or folder, on this machine or in a bucket; of objects by the
    checksums that the bucket has, so that nothing is fetched. Links are followed.

    Raises:
        InputError: there is nothing, or it cannot be read.
    """
    with request_errors():
        lines = _remote_lines(opened(place)) if is_remote(place) else _local_lines(Path(place))
    if not lines:
        raise InputError(f"{place}: nothing is here; give a folder with files in it")
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _remote_lines(place: str) -> list[str]:
    names_an_object = parts(place)[1] and not place.endswith("/")
    found = [objects.find(place)] if names_an_object else []
    held = [each for each in found if each is not None] or objects.list_below(place)
    return [listing_digest({each.name: each for each in held})] if held else []


def _local_lines(place: Path) -> list[str]:
    if not place.exists():
        what = "no such file or folder here; a path is one that the step sees: mount its claim, or give a URL"
        raise InputError(f"{place}: {what}")
    try:
        if place.is_file():
            return [f"{place.name} {place.stat().st_size} {sha256_of(place)}"]
        names = sorted(followed_files(place), key=Path)
        return [f"{name} {(place / name).stat().st_size} {sha256_of(place / name)}" for name in names]
    except OSError as error:
        raise InputError(f"{error.filename or place}: cannot be read: {error.strerror}") from None


def is_text(given: str) -> bool:
    """Whether an Experiment or config is given itself, perhaps in one line, rather than by its path or URL."""
    return "\n" in given or ("{" in given and not is_remote(given) and not os.path.exists(given))


def _short(text: str, name: str) -> str:
    """The text, where a parameter can hold it.

    Raises:
        InputError: it is too long.
    """
    size = len(text.encode())
    if size > MOST_BYTES:
        raise InputError(
            f"{name}: is {size} bytes with its ConfigMaps, and a pipeline's parameter holds {MOST_BYTES}; leave "
            "comments and unused ConfigMaps out, or keep the pipeline.config in a bucket or a claim"
        )
    return text
