"""The size that images are resized to, and which sizes a feature extractor can take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.pipeline_config.protos import ModelMessage, TrainEvalPipelineConfig

_EDGES = {
    "fixed_shape_resizer": ("height", "width"),
    "keep_aspect_ratio_resizer": ("min_dimension", "max_dimension"),
}
_SQUARE_CROP = "random_scale_crop_and_pad_to_square"  # its output is the model's input: it must move along
_TRIED = (128, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536)


@dataclass(frozen=True)
class Limits:
    """Which edges a feature extractor can take, in pixels: at least `least`, and a multiple of `multiple`."""

    least: int = 1
    multiple: int = 1

    def allows(self, edge: int) -> bool:
        """Whether an image with this edge can be taken."""
        return edge >= self.least and edge % self.multiple == 0

    def __str__(self) -> str:
        of = f", a multiple of {self.multiple}" if self.multiple > 1 else ""
        return f"at least {self.least} pixels{of}"


# By the feature extractor's type, the first match decides. From the extractors' own checks (`check_min_image_dim`) and
# by running each at many sizes: a feature pyramid adds maps that fit only where every halving came out even.
_LIMITS: tuple[tuple[re.Pattern[str], Limits], ...] = tuple(
    (re.compile(pattern), limits)
    for pattern, limits in (
        (r"ssd_efficientnet-b\d_bifpn_keras", Limits(129, 128)),
        (r"ssd_resnet\d+_v1_fpn_keras", Limits(129, 32)),
        (r"ssd_\w+_fpn_keras", Limits(33, 32)),
        (r"ssd_.+", Limits(33)),
        (r"faster_rcnn_\w+_fpn_keras|resnet_v1_\d+_fpn|mobilenet_v2_fpn\w*", Limits(32, 32)),
        (r"hourglass_(52|104)", Limits(128, 128)),
        (r"hourglass_\d+", Limits(32, 32)),
    )
)


def limits_of(config: TrainEvalPipelineConfig) -> Limits:
    """The limits of the config's feature extractor."""
    extractor = _model(config).feature_extractor
    limits = next((limits for pattern, limits in _LIMITS if pattern.fullmatch(extractor.type)), Limits())
    padded = config.model.WhichOneof("model") == "ssd" and extractor.pad_to_multiple
    if padded and padded % limits.multiple == 0:  # the others' pad_to_multiple is read by nothing in TensorFlow 2
        return Limits(limits.least)
    return limits


def edges(config: TrainEvalPipelineConfig) -> list[int]:
    """The edges that every image has when the model sees it; empty where they depend on the image."""
    kind, resizer = _resizer(config)
    if kind == "fixed_shape_resizer":
        return [int(resizer.height), int(resizer.width)]
    if kind == "keep_aspect_ratio_resizer" and resizer.pad_to_max_dimension:
        return [int(resizer.max_dimension)]
    return []


def size_path(config: TrainEvalPipelineConfig) -> str:
    """The path of the longer edge's field.

    Raises:
        AssignmentError: the config's resizer has no size.
    """
    kind, resizer = _resizer(config)
    path = f"model.{config.model.WhichOneof('model')}.image_resizer"
    if kind not in _EDGES:
        raise AssignmentError(f"image_size: {path} is {kind or 'not set'}; {' and '.join(_EDGES)} have a size")
    longer = max(_EDGES[kind], key=lambda name: int(getattr(resizer, name)))
    return f"{path}.{kind}.{longer}"


def current(config: TrainEvalPipelineConfig) -> str:
    """The longer edge, as an assignment would write it."""
    return find_field(config, size_path(config)).text()


def assign(config: TrainEvalPipelineConfig, value: str) -> None:
    """Let the longer edge be `value` pixels, the shorter in proportion; a square crop moves along.

    Raises:
        AssignmentError: no size, or one that the feature extractor cannot take.
    """
    field = find_field(config, size_path(config))
    before = field.value()
    field.set(value)
    longer = int(field.value())
    kind, resizer = _resizer(config)
    for name in _EDGES[kind]:
        if name != field.descriptor.name:
            setattr(resizer, name, _scaled(getattr(resizer, name), before, longer))
    for step in config.train_config.data_augmentation_options:
        if step.WhichOneof("preprocessing_step") == _SQUARE_CROP:
            crop = step.random_scale_crop_and_pad_to_square
            crop.output_size = longer if crop.output_size == before else crop.output_size
    problem = misfit(config)
    if problem is not None:
        raise AssignmentError(f"image_size: {value}: {problem}")


def misfit(config: TrainEvalPipelineConfig) -> str | None:
    """What is wrong with the config's image size for its feature extractor, and what would fit; None if nothing."""
    found, limits = edges(config), limits_of(config)
    if all(limits.allows(edge) for edge in found):
        return None
    name = _model(config).feature_extractor.type
    others = ", ".join(str(edge) for edge in possible(config))
    return f"{name} takes {limits}, not {' x '.join(map(str, dict.fromkeys(found)))}; {others} would do"


def possible(config: TrainEvalPipelineConfig) -> list[int]:
    """The four usual sizes nearest to the current one that the feature extractor can take.

    The shorter edge in proportion must fit too.
    """
    now, limits, found = int(current(config)), limits_of(config), edges(config)
    sizes = [
        size for size in {*_TRIED, *_multiples(now)} if all(limits.allows(_scaled(each, now, size)) for each in found)
    ]
    return sorted(sorted(sizes, key=lambda size: (abs(size - now), size))[:4])


def _multiples(edge: int) -> list[int]:
    """What keeps the proportions of the edges to the pixel."""
    return [edge * times for times in range(1, _TRIED[-1] // edge + 1)] if edge > 0 else []


def _scaled(edge: int, before: int, after: int) -> int:
    """An edge in an image whose longer one goes from `before` to `after` pixels."""
    return max(1, round(edge * after / before)) if before else after


def fitting(config: TrainEvalPipelineConfig) -> list[int]:
    """The usual sizes that the feature extractor can take, in rising order."""
    limits = limits_of(config)
    return [edge for edge in _TRIED if limits.allows(edge)]


def _model(config: TrainEvalPipelineConfig) -> ModelMessage:
    used = config.model.WhichOneof("model")
    return getattr(config.model, used) if used else config.model.ssd


def _resizer(config: TrainEvalPipelineConfig) -> tuple[str, Any]:
    """The kind of the config's resizer, empty where there is none, and its message."""
    used = config.model.WhichOneof("model")
    resizer = getattr(_model(config), "image_resizer", None) if used else None
    kind = (resizer.WhichOneof("image_resizer_oneof") or "") if resizer is not None else ""
    return kind, getattr(resizer, kind) if kind else None
