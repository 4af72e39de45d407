"""The command line's paths: each that a user gives may be gs://, to be read or to be written.

A parameter has one of these functions as its `parser`. What is read is copied to the cache, once, before the command
begins; what is written is made on this machine and put into the bucket when the command has succeeded. So commands
know paths of this machine alone, and `shown` says what the user wrote.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from boxtune.cli.afterwards import afterwards
from boxtune.errors import InputError
from boxtune.experiment.loading import local_experiment
from trial_entry.errors import DataError
from trial_entry.storage import objects
from trial_entry.storage.buckets import local_beside
from trial_entry.storage.cache import Cache
from trial_entry.storage.naming import stand_ins
from trial_entry.storage.paths import is_file, is_pattern, local_file, local_files, local_folder, matching
from trial_entry.storage.store import open_store
from trial_entry.storage.urls import Remote, is_remote, object_parts, place_of, prefix_parts, refuse_writing

Result = TypeVar("Result")


def input_file(text: str) -> Path:
    """A file to read.

    Raises:
        InputError: a bucket cannot be read, or has no such object.
    """
    return _plainly(local_file, str(text))


def input_folder(text: str) -> Path:
    """A folder to read.

    Raises:
        InputError: a bucket cannot be read, or has nothing there.
    """
    return _plainly(local_folder, str(text))


def input_images(texts: Sequence[str]) -> list[str]:
    """Files, folders and patterns of images to read; those in a bucket as files and folders of this machine.

    Raises:
        InputError: a bucket cannot be read, or has nothing there.
    """
    return [path for text in texts for path in (_plainly(_images, text) if is_remote(text) else [text])]


def _images(url: str) -> list[str]:
    if is_pattern(url):
        return [str(file) for file in local_files(matching(url))]
    return [str(local_file(url) if not url.endswith("/") and is_file(url) else local_folder(url))]


def experiment_file(text: str) -> Path:
    """An Experiment's file, with the small files beside it: a kustomization, a pipeline.config.

    Raises:
        InputError: as `input_file`.
    """
    return _plainly(local_experiment, str(text))


def annotations_path(text: str, with_images: bool) -> Path:
    """Annotations to read, a file or a folder.

    Args:
        with_images: whether the images lie beside the annotations: all that does is copied.

    Raises:
        InputError: as `input_file`.
    """
    if not is_remote(text):
        return Path(text)
    if text.endswith("/") or not _plainly(is_file, text):
        return input_folder(text)
    if not with_images:
        return input_file(text)
    return _plainly(lambda url: local_beside(url, lambda name, size: True), text)


def output_file(text: str) -> Path:
    """A file to write, which replaces what is there.

    Raises:
        InputError: gs:// without an object's name.
    """
    return _output(str(text), is_folder=False)


def output_folder(text: str) -> Path:
    """A folder to write; in a bucket nothing that is there already is changed.

    Raises:
        InputError: gs:// without a bucket.
    """
    return _output(str(text), is_folder=True)


def is_config(text: str) -> bool:
    """Whether this is a file, here or in a bucket, rather than a folder or a name.

    Raises:
        InputError: a bucket cannot be read.
    """
    return _plainly(is_file, text)


def place(text: str) -> Path | Remote:
    """Where a trial keeps what it makes as it goes, in a bucket too.

    Raises:
        InputError: gs:// without a bucket, or s3://.
    """
    if is_remote(text):
        _plainly(refuse_writing, text)
    return _plainly(place_of, text)


def new_folder(text: str) -> Path:
    """A folder to write; in a bucket one in which nothing is yet, said before any work is done.

    Raises:
        InputError: gs:// without a bucket, or something is there already.
    """
    made = output_folder(text)
    if is_remote(str(text)) and _plainly(lambda place: open_store(place).names(), text):
        raise InputError(f"{text}: holds objects already, and nothing in a bucket is replaced; name a new place")
    return made


def run_folder(text: str) -> Path:
    """The folder of a run that goes on: on this machine.

    Raises:
        InputError: it is in a bucket.
    """
    if is_remote(str(text)):
        raise InputError(
            f"{text}: a run's journal is added to line by line, which no bucket can; give a folder of this machine "
            "(its trials may write to one: --model_dir=gs://BUCKET/PREFIX/${trialParameters.NAME} in the Experiment)"
        )
    return Path(text)


def shown(path: Path) -> str:
    """The path as the user wrote it."""
    return named(str(path))


def named(text: str) -> str:
    """A text for people, in which paths are as they wrote them."""
    return stand_ins().named(text)


def _deliver(made: Path, url: str) -> None:
    """Put what was made for a bucket there; what a command did not make is no matter.

    Raises:
        InputError: the bucket cannot be written, or holds something else.
    """
    if made.is_dir():
        _plainly(partial(_put_folder, made), url)
    elif made.exists():
        _plainly(partial(_put_file, made), url)
    shutil.rmtree(made.parent, ignore_errors=True)


def _output(text: str, is_folder: bool) -> Path:
    if not is_remote(text):
        return Path(text)
    _plainly(prefix_parts if is_folder else object_parts, text)
    _plainly(refuse_writing, text)
    work = _plainly(_work_folder, text)
    made = work / PurePosixPath(text).name
    try:
        work.mkdir(parents=True, exist_ok=True)
        if not is_folder:
            made.unlink(missing_ok=True)  # of a command that failed
    except OSError as problem:
        raise InputError(f"{work}: {problem.strerror}; BOXTUNE_CACHE says where to") from None
    afterwards().append(partial(_deliver, made, text))
    stand_ins().add(made, text)
    return made


def _work_folder(url: str) -> Path:
    """The same each time, so that a command that was cut off goes on."""
    return Cache.from_environment().work_folder(url)


def _put_file(made: Path, url: str) -> None:
    before = objects.find(url)
    objects.upload(url, made, objects.NEW if before is None else before.generation)


def _put_folder(made: Path, url: str) -> None:
    """What tells a reader that it is whole, a JSON file, goes last."""
    store = open_store(url)
    files = sorted(file for file in made.rglob("*") if file.is_file())
    for file in sorted(files, key=lambda each: each.suffix == ".json"):
        store.put(file.relative_to(made).as_posix(), file)


def _plainly(function: Callable[[str], Result], text: str) -> Result:
    try:
        return function(text)
    except DataError as problem:
        raise InputError(str(problem)) from None
