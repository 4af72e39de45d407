"""The checkpoint that a training begins with: its type and its name, as far as they can be judged without the file.

The types are those of each meta-architecture's `restore_from_objects`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.inputs import CHECKPOINT
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused, warned
from trial_entry.pipeline_config.text import nearest

_TYPE = "train_config.fine_tune_checkpoint_type"
_TYPES = ["detection", "classification", "full"]
_FINE_TUNE = "fine_tune"  # which a CenterNet once took
_PREFIX = "it is the prefix of PREFIX.index and PREFIX.data-00000-of-00001"
_PART = re.compile(r"\.(?:index|meta|data-\d{5}-of-\d{5})$")
_OTHERS = (
    (re.compile(r"(?:^|/)saved_model(?:\.pb)?/?$"), "is a SavedModel"),
    (re.compile(r"\.(?:pb|pbtxt)$"), "is a frozen graph or a text"),
    (re.compile(r"\.(?:h5|hdf5|keras|weights)$"), "is Keras' own format"),
    (re.compile(r"\.tflite$"), "is a TensorFlow Lite model"),
    (re.compile(r"\.onnx$"), "is an ONNX model"),
    (re.compile(r"\.(?:pt|pth|safetensors)$"), "is of another framework"),
)
_ARCHIVE = re.compile(r"\.(?:zip|tar|tar\.gz|tgz|gz)$")
_FOLDER = re.compile(r"(?:^|/)checkpoints?/?$|/$")


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of a training from a checkpoint."""
    train = config.train_config
    kind, model = train.fine_tune_checkpoint_type, config.model.WhichOneof("model")
    if not train.fine_tune_checkpoint:
        if kind and kind not in _TYPES:
            what = f'there is no "{kind}", and no fine_tune_checkpoint that would be read by it'
            yield warned(_TYPE, what, f"leave it out; there are {', '.join(_TYPES)}, and {_meant(kind)}")
        return
    if kind and kind not in _TYPES:
        right = f"{model or 'a model'} takes {', '.join(_TYPES)}; {_meant(kind)}"
        yield refused(_TYPE, f'there is no "{kind}"', right)
    wrong = name_fault(train.fine_tune_checkpoint)
    if wrong is not None:
        yield refused(CHECKPOINT, f"{train.fine_tune_checkpoint!r} {wrong[0]}", wrong[1])


def _meant(kind: str) -> str:
    """Which of the types."""
    return '"detection" does what it did' if kind == _FINE_TUNE else nearest(kind, _TYPES)


def name_fault(path: str) -> tuple[str, str] | None:
    """What is wrong with a checkpoint's name, and what would be right; None where nothing is."""
    if part := _PART.search(path):
        ending = ".data-…" if part[0].startswith(".data") else part[0]
        return f"is one file of a checkpoint: {ending} is no part of the prefix", f"write {path[: part.start()]}"
    for pattern, what in _OTHERS:
        if pattern.search(path):
            return f"{what}, no checkpoint", f"name a checkpoint of TensorFlow 2: {_PREFIX}"
    if _ARCHIVE.search(path):
        return "is an archive", f"unpack it, and name the checkpoint within: {_PREFIX}"
    if _FOLDER.search(path):
        return "is a folder of checkpoints", f"name one of them: {path.rstrip('/')}/ckpt-0"
    return None
