"""`boxtune demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.errors import InputError

_DEFAULT = DigitsSpec()


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where the files go; made if it is missing")],
    train_images: Annotated[int, typer.Option(min=1, help="images to train on")] = _DEFAULT.train_images,
    validation_images: Annotated[int, typer.Option(min=1, help="images to measure on")] = _DEFAULT.validation_images,
    test_images: Annotated[
        int, typer.Option(min=1, help="images that no trial reads, to measure on what was chosen")
    ] = _DEFAULT.test_images,
    seed: Annotated[int, typer.Option(min=0, help="the same seed gives the same files")] = _DEFAULT.seed,
) -> None:
    """Make the demo's data: handwritten digits on photographs and noise.

    Writes train.record, validation.record, test.record and label_map.pbtxt, the files of any detector's data, in
    seconds and offline. The Experiments under manifests/experiments train on them.
    """
    spec = DigitsSpec(
        train_images=train_images, validation_images=validation_images, test_images=test_images, seed=seed
    )
    try:
        files = make_digits(folder, spec)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None
    for file in files:
        print(file)
