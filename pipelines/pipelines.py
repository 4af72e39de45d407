"""The pipelines by name; a pipeline is made for a placement: image, claims, requests."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from kfp.dsl.graph_component import GraphComponent

from boxtune.errors import InputError
from pipelines.placement import Placement

# `NAME: what it does`; pipelines/NAME.py makes it.
PIPELINES: Mapping[str, str] = {
    "tune_and_train": "Search what an Experiment says, train its best, measure, export and publish it.",
    "train_only": "Train a pipeline.config, measure, export and publish the model.",
    "import_tune_and_train": "Make records of annotated images, and then all that tune_and_train does.",
}


def make(name: str, placement: Placement) -> GraphComponent:
    """The pipeline of this name, which KFP compiles and runs.

    Raises:
        InputError: there is no such pipeline.
    """
    if name not in PIPELINES:
        raise InputError(f"{name}: no such pipeline; there are {', '.join(PIPELINES)}")
    return importlib.import_module(f"pipelines.{name}").make(placement)
