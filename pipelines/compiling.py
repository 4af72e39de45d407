"""A pipeline as the YAML that KFP runs: the same bytes for the same sources, wherever it is compiled."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from kfp.compiler import Compiler

from pipelines.pipelines import make
from pipelines.placement import Placement

COMPILED = Path(__file__).parent / "compiled"


def compiled(name: str, placement: Placement) -> str:
    """The YAML of a pipeline.

    Raises:
        InputError: there is no such pipeline.
    """
    pipeline = make(name, placement)
    with tempfile.TemporaryDirectory(prefix="boxtune-compile-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of kfp's own
        file = Path(folder) / f"{name}.yaml"
        Compiler().compile(pipeline, str(file))
        return file.read_text(encoding="utf-8")


def stale(names: Iterable[str], folder: Path, placement: Placement) -> list[Path]:
    """The files of a folder that are not what their pipelines compile to now."""
    files = [(folder / f"{name}.yaml", compiled(name, placement)) for name in names]
    return [file for file, text in files if not file.is_file() or file.read_text(encoding="utf-8") != text]
