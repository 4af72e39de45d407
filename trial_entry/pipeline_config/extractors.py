"""The config's room, feature extractors: which there are in TensorFlow 2, what each takes, how many maps each gives.

The sources are the API's `builders/model_builder.py` (the three maps of names, and which blocks of a config become
which arguments) and the constructors of the extractors in `models/`; a test holds the names to those.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from trial_entry.pipeline_config.protos import ExtractorMessage, TrainEvalPipelineConfig

_RESNETS = ("50", "101", "152")
_PLAIN_SSD = ("ssd_mobilenet_v1_keras", "ssd_mobilenet_v2_keras")
_PYRAMID_SSD = (
    "ssd_mobilenet_v1_fpn_keras",
    "ssd_mobilenet_v2_fpn_keras",
    *(f"ssd_resnet{depth}_v1_fpn_keras" for depth in _RESNETS),
)
_EFFICIENT = tuple(f"ssd_efficientnet-b{number}_bifpn_keras" for number in range(8))
_PLAIN_RCNN = (
    *(f"faster_rcnn_resnet{depth}_keras" for depth in _RESNETS),
    "faster_rcnn_inception_resnet_v2_keras",
)
_PYRAMID_RCNN = tuple(f"faster_rcnn_resnet{depth}_fpn_keras" for depth in _RESNETS)
_CENTER_NET = (
    *(f"resnet_v2_{depth}" for depth in _RESNETS[:2]),
    *(f"resnet_v1_{depth}_fpn" for depth in ("18", "34", "50", "101")),
    *(f"hourglass_{depth}" for depth in ("10", "20", "32", "52", "104")),
    "mobilenet_v2",
    "mobilenet_v2_fpn",
    "mobilenet_v2_fpn_sep_conv",
)
EXTRACTORS = {
    "ssd": (*_PLAIN_SSD, *_PYRAMID_SSD, *_EFFICIENT),
    "faster_rcnn": (*_PLAIN_RCNN, *_PYRAMID_RCNN),
    "center_net": _CENTER_NET,
}
# Fields whose presence alone becomes an argument of the extractor's constructor: those that take it.
_TAKE = {
    "fpn": (*_PYRAMID_SSD, *_PYRAMID_RCNN),
    "bifpn": _EFFICIENT,
    "num_layers": _PLAIN_SSD,
    "replace_preprocessor_with_placeholder": (),
    "spaghettinet_arch_name": (),
}
_PYRAMIDS = dict.fromkeys((*_PYRAMID_SSD, *_PYRAMID_RCNN), "fpn") | dict.fromkeys(_EFFICIENT, "bifpn")
_LEVELS = (3, 7)  # of a pyramid that the config does not describe: the constructors' defaults


@dataclass(frozen=True)
class Extractor:
    """A config's feature extractor.

    Attributes:
        architecture: the model's, `ssd`, `faster_rcnn` or `center_net`.
        message: its message in the config.
    """

    architecture: str
    message: ExtractorMessage

    @property
    def path(self) -> str:
        """Of its message."""
        return f"model.{self.architecture}.feature_extractor"

    @property
    def kind(self) -> str:
        """The type that the config names."""
        return str(self.message.type)

    @property
    def is_known(self) -> bool:
        """Whether TensorFlow 2 has it, for this architecture."""
        return self.kind in EXTRACTORS[self.architecture]

    def refused_blocks(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Blocks that are set and that it does not take; with each the extractors that do."""
        known = self.message.DESCRIPTOR.fields_by_name
        for name, takers in _TAKE.items():
            if name in known and self.message.HasField(name) and self.kind not in takers:
                yield name, tuple(each for each in takers if each in EXTRACTORS[self.architecture])

    @property
    def is_pyramid(self) -> bool:
        """Whether its maps are the levels of a pyramid."""
        return self.kind in _PYRAMIDS

    def levels(self) -> tuple[int, int]:
        """The lowest and the highest level of its pyramid."""
        block = _PYRAMIDS[self.kind]
        if not self.message.HasField(block):
            return _LEVELS
        pyramid = getattr(self.message, block)
        return int(pyramid.min_level), int(pyramid.max_level)

    def maps(self) -> int:
        """How many feature maps it gives, each of which needs anchors."""
        if self.is_pyramid:
            low, high = self.levels()
            return high - low + 1
        return int(self.message.num_layers) if self.architecture == "ssd" else 1

    def maps_said(self) -> str:
        """Where that number comes from, by field and value."""
        if self.is_pyramid:
            low, high = self.levels()
            block = _PYRAMIDS[self.kind]
            return f"{self.path}.{block} has levels {low} to {high}"
        return f"{self.kind} gives {self.maps()}"


def extractor_of(config: TrainEvalPipelineConfig) -> Extractor | None:
    """The config's feature extractor; None where its model is of no architecture that has one."""
    used = config.model.WhichOneof("model")
    if used not in EXTRACTORS:
        return None
    return Extractor(used, getattr(config.model, used).feature_extractor)


def architecture_of(kind: str) -> str:
    """The architecture that an extractor of TensorFlow 2 belongs to; empty where there is none of that name."""
    return next((name for name, kinds in EXTRACTORS.items() if kind in kinds), "")


def nearest_extractor(kind: str, architecture: str) -> str:
    """What of an architecture is nearest to a name that it has not: of TensorFlow 1's the same with _keras, if any."""
    names = EXTRACTORS[architecture]
    if f"{kind}_keras" in names:
        return f"{kind}_keras"
    return (difflib.get_close_matches(kind, names, n=1, cutoff=0.0) or [names[0]])[0]
