"""Objects of gs:// and s3:// buckets: looked up, matched against patterns, and copied here once.

Who may read is in `trial_entry.storage.client` and `s3_client`, where copies lie in `trial_entry.storage.cache`: by
their generation or ETag, so that an object that is replaced is copied anew, and trials on one machine share a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from trial_entry.errors import StorageError
from trial_entry.storage.cache import Cache
from trial_entry.storage.objects import RemoteObject, find, list_below, list_named, missing
from trial_entry.storage.several import several
from trial_entry.storage.urls import GLOB, object_parts, prefix_parts, scheme_of

_CHECKPOINT_INDEX = ".index"


def exists(url: str) -> bool:
    """Whether there is an object of this name.

    Raises:
        StorageError: no rights, no such bucket, no connection, or no gs://BUCKET/OBJECT.
    """
    return find(url) is not None


def matching(pattern: str) -> list[str]:
    """The objects that match a pattern with `*`, `?` and `[…]`, none of which matches a slash, sorted.

    Raises:
        StorageError: as `exists`.
    """
    bucket, name = object_parts(pattern)
    parts = PurePosixPath(name).parts
    constant = "".join(f"{part}/" for part in takewhile(lambda part: not GLOB.intersection(part), parts))
    found = [(PurePosixPath(each.name), each.url) for each in list_named(f"{scheme_of(pattern)}{bucket}/{constant}")]
    return [url for path, url in found if len(path.parts) == len(parts) and path.match(name)]


def local_copies(urls: Sequence[str]) -> list[Path]:
    """The objects as files of this machine, each under its own name, in order.

    Raises:
        StorageError: as `exists`; there is no such object; no room for it.
    """
    return Cache.from_environment().copies(several(lambda url, _: _existing(url), urls))


def local_checkpoint(prefix: str) -> str:
    """The prefix of a copy of a checkpoint: its index, and its data beside it.

    Raises:
        StorageError: as `local_copies`.
    """
    object_parts(prefix)
    found = {each.file_name: each for each in list_named(f"{prefix}.")}
    folder, _, own = prefix.rpartition("/")
    if own + _CHECKPOINT_INDEX not in found:
        raise StorageError(f"{prefix}: no checkpoint has this prefix; its files are PREFIX.index and PREFIX.data-…")
    return str(Cache.from_environment().tree(folder, found) / own)


def local_folder(url: str) -> Path:
    """A folder of this machine with everything that is below gs://BUCKET/PREFIX, as it was listed once.

    What is here already by its generation is not fetched again; the folder has the prefix's last name.

    Raises:
        StorageError: as `local_copies`; nothing is there.
    """
    return local_selection(url, lambda name, size: True)


def local_selection(url: str, is_wanted: Callable[[str, int], bool]) -> Path:
    """`local_folder` of some objects alone.

    Args:
        is_wanted: of an object's name relative to `url`, and its bytes.

    Raises:
        StorageError: as `local_folder`.
    """
    _, prefix = prefix_parts(url)
    found = {each.name.removeprefix(prefix): each for each in list_below(url)}
    wanted = {name: each for name, each in found.items() if is_wanted(name, each.size)}
    if not wanted:
        raise StorageError(f"{url}: nothing {'of that kind ' if found else ''}is there")
    return Cache.from_environment().tree(url, wanted)


def local_beside(url: str, is_wanted: Callable[[str, int], bool]) -> Path:
    """A copy of an object, in a folder with what else is wanted of what lies where it lies.

    Args:
        is_wanted: as of `local_selection`.

    Raises:
        StorageError: as `local_copies`.
    """
    _existing(url)
    folder, _, own = url.rpartition("/")
    return local_selection(folder, lambda name, size: name == own or is_wanted(name, size)) / own


def _existing(url: str) -> RemoteObject:
    found = find(url)
    if found is None:
        raise missing(url)
    return found
