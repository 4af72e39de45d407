"""The contract's requests about exports: a checkpoint in other formats, and what a SavedModel of them finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trial_entry.contract.arguments import (
    FILE,
    FOLDER,
    TEXT,
    TILING,
    maybe,
    number,
    one_of,
    optional,
    repeated,
    required,
    switch,
    whole,
)
from trial_entry.contract.exports import FORMATS, TilingRecord
from trial_entry.contract.request import Request


@dataclass(frozen=True)
class ExportRequest(Request):
    """A checkpoint in other formats (`trial_entry.contract.exports`).

    Attributes:
        pipeline_config_path: what describes model and data.
        model_dir: the folder of the checkpoint.
        output: the folder to write, whole or not at all.
        checkpoint: its prefix; None for the latest in best/ of the folder, else in the folder.
        formats: which; none for all that the model can.
        compare: how many validation images are compared; 0 for all.
        no_compare: whether nothing is compared.
        representative: how many training images set int8's ranges.
        score_threshold: for precision and recall, and for who shows detections.
        loss, int8_loss: how much mAP a file may differ by from the checkpoint, and int8's lose.
        lost_classes: whether a class may lose all of its mAP.
        tiling: how large images were cut for the training data; None where they were not.
    """

    command = "export"
    about = """\
Write a checkpoint as SavedModel, TensorFlow Lite and ONNX; load each again and compare its mAP with the checkpoint's.
"""
    model_dir: Path = required(FOLDER, "DIR", "the folder of the checkpoint")
    pipeline_config_path: Path = required(FILE, "FILE", "the pipeline.config that it was trained with")
    output: Path = required(FOLDER, "DIR", "the folder to write; it is there whole or not at all")
    checkpoint: str | None = maybe(TEXT, "PREFIX", "this checkpoint instead of the best, or the folder's latest")
    formats: tuple[str, ...] = repeated(
        one_of(*FORMATS), "FORMAT", f"{', '.join(FORMATS)}; repeatable (all that the model can)", flag="--format"
    )
    compare: int = optional(whole(0), 0, "N", "compare on the first N validation images (0: all)")
    no_compare: bool = switch("compare nothing: no validation records are needed")
    representative: int = optional(whole(1), 100, "N", "training images that set int8's ranges (100)")
    score_threshold: float = optional(
        number(0, 1), 0.5, "X", "detections below it do not count for precision and recall (default 0.5)"
    )
    loss: float = optional(number(0, 1), 0.005, "X", "of mAP, that a file may differ by from the checkpoint (0.005)")
    int8_loss: float = optional(number(0, 1), 0.05, "X", "of mAP, that int8 may lose (0.05)")
    lost_classes: bool = switch("a class may lose all of its mAP")
    tiling: TilingRecord | None = maybe(TILING, "WxH+N", "tiles of the training data and their overlap, in pixels")


@dataclass(frozen=True)
class DetectRequest(Request):
    """What a SavedModel of `export` finds in image files (`trial_entry.contract.detecting`).

    Attributes:
        saved_model: the folder.
        images: a JSON line for each image or window to look at.
        output: a JSON line for each, in their order.
        score_threshold: below it a detection is left out.
        batch_size: images of one size that are looked at together.
    """

    command = "detect"
    about = "Look at images with a SavedModel of export; an image that is none is said in its line."
    saved_model: Path = required(FILE, "DIR", "the folder saved_model of an export")
    images: Path = required(FILE, "FILE", "a JSON object a line: file, and window as [left, top, right, lower]")
    output: Path = required(FILE, "FILE", "where the detections go, a JSON line for each")
    score_threshold: float = optional(number(0, 1), 0.0, "X", "leave out detections below it (0)")
    batch_size: int = optional(whole(1), 8, "N", "images of one size that are looked at together (8)")
