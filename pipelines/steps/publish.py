"""The step that publishes a model as a version, whole or not there, never cached: as `boxtune publish` does."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from boxtune.delivery.asking import request_errors
from boxtune.delivery.model import open_model
from boxtune.delivery.publishing import Published, PublishOptions
from boxtune.delivery.publishing import publish as publish_model
from trial_entry.pipeline_config.inputs import TEST
from trial_entry.storage.paths import local_folder


@dataclass(frozen=True)
class PublishAsked:
    """What is to be published.

    Attributes:
        model, exported, measured: the paths of the artifacts of the steps before.
        split: that was measured on; only a test goes into a version.
        publish_to: the folder or gs:// prefix that holds the versions; empty for the artifact alone.
        name: of the model.
    """

    model: str
    exported: str
    measured: str
    split: str
    publish_to: str
    name: str


def publish(asked: PublishAsked, out: Path, uri: str, about: dict[str, object]) -> str:
    """Publish; `out` is then the version, a folder that `boxtune predict` takes; returns where it was published.

    Args:
        uri: of the artifact that `out` is of.
        about: takes what the Model artifact says of itself.

    Raises:
        InputError: the destination cannot be written, or another model is published under the version.
    """
    with tempfile.TemporaryDirectory(prefix="boxtune-versions-") as name:
        destination = asked.publish_to or f"{name}/{asked.name}"
        published = _published(asked, destination)
        with request_errors():
            shutil.copytree(local_folder(published.place), out, dirs_exist_ok=True)
    manifest = published.manifest
    place = published.place if asked.publish_to else uri
    about |= {"framework": "tensorflow", "name": manifest.name, "version": manifest.version, "place": place}
    before = "" if published.fresh else " (published before)"
    print(f"{place}: version {manifest.version} of {manifest.name}, {len(manifest.files)} files{before}", flush=True)
    return place


def _published(asked: PublishAsked, destination: str) -> Published:
    evaluation = Path(asked.measured) if asked.split == TEST else None
    options = PublishOptions(destination, asked.name, export=Path(asked.exported), evaluation=evaluation)
    return publish_model(open_model(asked.model), options, lambda line: print(line, flush=True))
