"""`boxtune publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.paths import input_folder
from boxtune.delivery.model import open_model
from boxtune.delivery.publishing import PublishOptions
from boxtune.delivery.publishing import publish as publish_model


def publish(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="what boxtune train made, or a trial's model_dir")],
    destination: Annotated[
        str, typer.Argument(metavar="DEST", help="the folder or gs://BUCKET/PREFIX that holds the model's versions")
    ],
    version: Annotated[str | None, typer.Option(help="such as v1.2 (default: the next number)")] = None,
    name: Annotated[str | None, typer.Option(help="of the model (default: DEST's last part)")] = None,
    exports: Annotated[
        bool, typer.Option("--exports/--without-exports", help="refuse a model that was not exported")
    ] = True,
    export: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="where boxtune export --out wrote (MODEL/export)", parser=input_folder),
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="where boxtune evaluate --out wrote (MODEL/test)", parser=input_folder),
    ] = None,
) -> None:
    """Publish a model as a version: config, checkpoint, exports, metrics, a model card, and how to make it again.

    A version appears whole or not at all: manifest.json, with the checksum of every file, is written last. It is never
    overwritten; publishing the same model again gives the version that it has. Cut off, the same command goes on.

    Example: boxtune publish models/quick-start gs://bucket/models/digits
    """
    options = PublishOptions(destination, name, version, exports, export, evaluation)
    found = publish_model(open_model(model), options)
    files, size = len(found.manifest.files), sum(each.bytes for each in found.manifest.files.values())
    before = "" if found.fresh else " (published before)"
    print(f"{found.place}: version {found.manifest.version}, {files} files, {size / 2**20:.1f} MiB{before}")
    print(f"model card: {found.place}/MODEL_CARD.md; its intended use is left for you to fill in before you publish on")
