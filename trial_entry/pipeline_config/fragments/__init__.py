"""Whole blocks to swap into a config, as protobuf text, one a file.

    feature_extractors/NAME.pbtxt   a feature extractor and all that must change with it
    models/NAME.pbtxt               a whole model
    frames/META_ARCHITECTURE.pbtxt  what a model has around its feature extractor, so that each makes a model too

A file is a TrainEvalPipelineConfig with `model` and, if it likes, the three `fine_tune_checkpoint` fields of
`train_config`. Users' own lie in folders of the same shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trial_entry.errors import AssignmentError, ConfigError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import nearest, read_config

_HERE = Path(__file__).parent
_FEATURE_EXTRACTORS, _MODELS, _FRAMES = "feature_extractors", "models", "frames"
_SUFFIX = ".pbtxt"
# What a feature extractor brings along. Everything else (classes, image size, box coder, losses, post-processing)
# stays as the config has it.
PARTS = {
    "ssd": ("feature_extractor", "anchor_generator", "box_predictor"),
    "faster_rcnn": (
        "feature_extractor",
        "first_stage_anchor_generator",
        "first_stage_atrous_rate",
        "initial_crop_size",
        "maxpool_kernel_size",
        "maxpool_stride",
    ),
    "center_net": ("feature_extractor",),
}
# Feature extractors that need nothing but another type in another's file.
_SAME_BLOCKS = {
    "ssd_resnet101_v1_fpn_keras": "ssd_resnet50_v1_fpn_keras",
    "ssd_resnet152_v1_fpn_keras": "ssd_resnet50_v1_fpn_keras",
    "faster_rcnn_resnet101_keras": "faster_rcnn_resnet50_keras",
    "faster_rcnn_resnet152_keras": "faster_rcnn_resnet50_keras",
    "faster_rcnn_resnet101_fpn_keras": "faster_rcnn_resnet50_fpn_keras",
    "faster_rcnn_resnet152_fpn_keras": "faster_rcnn_resnet50_fpn_keras",
    "resnet_v1_18_fpn": "resnet_v1_50_fpn",
    "resnet_v1_34_fpn": "resnet_v1_50_fpn",
    "resnet_v1_101_fpn": "resnet_v1_50_fpn",
    "hourglass_10": "hourglass_104",
    "hourglass_20": "hourglass_104",
    "hourglass_32": "hourglass_104",
    "hourglass_52": "hourglass_104",
}
_CHECKPOINT_FIELDS = ("fine_tune_checkpoint", "fine_tune_checkpoint_type", "fine_tune_checkpoint_version")


@dataclass(frozen=True)
class Fragment:
    """One block.

    Attributes:
        name: what an assignment calls it.
        meta_architecture: `ssd`, `faster_rcnn` or `center_net`.
        config: what the file holds, its checkpoint's path absolute.
    """

    name: str
    meta_architecture: str
    config: TrainEvalPipelineConfig

    @property
    def model(self) -> Any:
        """The Ssd, FasterRcnn or CenterNet message."""
        return getattr(self.config.model, self.meta_architecture)


@dataclass(frozen=True)
class Fragments:
    """The fragments of Boxtune and of the folders that the user names.

    Attributes:
        folders: the user's.
    """

    folders: Sequence[Path] = ()

    def feature_extractor(self, name: str) -> Fragment:
        """The feature extractor `name`.

        Raises:
            AssignmentError: there is none, or several.
            ConfigError: its file is malformed.
        """
        file = self._file(_FEATURE_EXTRACTORS, name)
        if file is not None:
            return _read(file, name, parts_only=True)
        if name in _SAME_BLOCKS:
            fragment = self.feature_extractor(_SAME_BLOCKS[name])
            fragment.model.feature_extractor.type = name
            return Fragment(name, fragment.meta_architecture, fragment.config)
        raise AssignmentError(f"feature_extractor: there is no {name}; {nearest(name, self.feature_extractors())}")

    def model(self, name: str) -> Fragment:
        """The model `name`: a file of its own, or a feature extractor's within its meta-architecture's frame.

        Raises:
            AssignmentError, ConfigError: as for a feature extractor.
        """
        file = self._file(_MODELS, name)
        if file is not None:
            return _read(file, name, parts_only=False)
        if name not in self.feature_extractors():
            raise AssignmentError(f"model: there is no {name}; {nearest(name, self.models())}")
        extractor = self.feature_extractor(name)
        frame = _HERE / _FRAMES / (extractor.meta_architecture + _SUFFIX)
        config = read_config(frame)
        config.MergeFrom(extractor.config)
        return Fragment(name, extractor.meta_architecture, config)

    def feature_extractors(self, meta_architecture: str | None = None) -> list[str]:
        """The names of all feature extractors, or of those of one meta-architecture."""
        names = sorted({*(file.stem for file in self._files(_FEATURE_EXTRACTORS)), *_SAME_BLOCKS})
        if meta_architecture is None:
            return names
        return [name for name in names if self.feature_extractor(name).meta_architecture == meta_architecture]

    def models(self) -> list[str]:
        """The names of all models."""
        return sorted({*(file.stem for file in self._files(_MODELS)), *self.feature_extractors()})

    def _files(self, kind: str) -> Iterator[Path]:
        for folder in (_HERE, *self.folders):
            yield from sorted((folder / kind).glob(f"*{_SUFFIX}"))

    def _file(self, kind: str, name: str) -> Path | None:
        for folder in self.folders:
            if not folder.is_dir():
                raise AssignmentError(
                    f"{folder}: no such folder; --fragments names one with {_FEATURE_EXTRACTORS}/ or {_MODELS}/ in it"
                )
        found = [file for file in self._files(kind) if file.stem == name]
        if len(found) > 1 or (found and name in _SAME_BLOCKS):
            places = [*map(str, found), *(["Boxtune's own"] if name in _SAME_BLOCKS else [])]
            raise AssignmentError(f"{name}: there are several fragments of this name ({', '.join(places)}); rename one")
        return found[0] if found else None


BUILT_IN = Fragments()


def _read(file: Path, name: str, *, parts_only: bool) -> Fragment:
    """The fragment in `file`.

    Raises:
        ConfigError: it holds something else, too little or too much.
    """
    config = read_config(file)
    meta_architecture = config.model.WhichOneof("model")
    if meta_architecture not in PARTS:
        raise ConfigError(f"{file}: model: must be one of {', '.join(PARTS)}, not {meta_architecture or 'left out'}")
    foreign = [field.name for field, _ in config.ListFields() if field.name not in ("model", "train_config")]
    foreign += [
        f"train_config.{f.name}" for f, _ in config.train_config.ListFields() if f.name not in _CHECKPOINT_FIELDS
    ]
    if foreign:
        raise ConfigError(
            f"{file}: {', '.join(foreign)}: a fragment holds model and train_config's fine_tune_checkpoint"
        )
    fragment = Fragment(name, meta_architecture, config)
    where = f"{file}: model.{meta_architecture}"
    if not fragment.model.feature_extractor.type:
        raise ConfigError(f"{where}.feature_extractor.type: must be given")
    if parts_only:
        kept = [field.name for field, _ in fragment.model.ListFields() if field.name not in PARTS[meta_architecture]]
        if kept:
            raise ConfigError(
                f"{where}: {', '.join(kept)}: a feature extractor leaves this as the config has it; it may hold "
                f"{', '.join(PARTS[meta_architecture])}"
            )
    checkpoint = config.train_config.fine_tune_checkpoint
    if checkpoint and "://" not in checkpoint:
        config.train_config.fine_tune_checkpoint = str((file.parent / checkpoint).resolve())
    return fragment


def copy_checkpoint(fragment: Fragment, config: TrainEvalPipelineConfig) -> bool:
    """Let `config` start from the fragment's checkpoint; False where it names none."""
    if not fragment.config.train_config.fine_tune_checkpoint:
        return False
    for name in _CHECKPOINT_FIELDS:
        if fragment.config.train_config.HasField(name):
            setattr(config.train_config, name, getattr(fragment.config.train_config, name))
    return True
