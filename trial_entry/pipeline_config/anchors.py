"""The config's room, anchors: where the API's generators put them, and how well they overlap boxes, in numpy.

Anchors of one shape stand on a regular grid, and the overlap of two boxes falls with the distance of their centres in
each direction. So the anchor of a shape that overlaps a box most is the one whose centre is nearest: a box is compared
with one anchor of each shape instead of with all of the tens of thousands, and images of any size at once.

The sources are the API's `anchor_generators/multiple_grid_anchor_generator.py`, `multiscale_grid_anchor_generator.py`
and `grid_anchor_generator.py`; the tests hold the numbers to those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.protos import AnchorMessage, TrainEvalPipelineConfig

Floats = NDArray[np.float64]
_CHUNK = 4096  # boxes compared at once: some ten megabytes
_FIRST_SSD_STRIDE = 16  # of MobileNet's first map for SSD; each further one halves, rounding up
_LOWEST_SCALE = 0.1  # of create_ssd_anchors where reduce_boxes_in_lowest_layer is set
_NO_PARAMETER = -1


@dataclass(frozen=True)
class Boxes:
    """Boxes, each in its image as the model sees it, in pixels; every array has one element a box.

    Attributes:
        image_height, image_width: what the resizer makes of the image, padding included.
        center_y, center_x: the box's centre.
        height, width: the box's edges.
    """

    image_height: Floats
    image_width: Floats
    center_y: Floats
    center_x: Floats
    height: Floats
    width: Floats

    def __len__(self) -> int:
        return len(self.height)

    def __getitem__(self, which: slice | NDArray[np.bool_]) -> Boxes:
        return Boxes(
            self.image_height[which],
            self.image_width[which],
            self.center_y[which],
            self.center_x[which],
            self.height[which],
            self.width[which],
        )


@dataclass(frozen=True)
class AnchorShapes:
    """The shapes that each cell of the feature maps has; every array has one element a shape.

    Attributes:
        level: the feature map, from 0.
        height, width: in pixels, or in shorter edges of the image where the generator is relative.
        scale: which of the scales it follows from; -1 for a shape that none alone sets.
        ratio: which of the aspect ratios; -1 likewise.
        per_scale: height and width (geometric mean) at scale 1.
    """

    level: NDArray[np.int64]
    height: Floats
    width: Floats
    scale: NDArray[np.int64]
    ratio: NDArray[np.int64]
    per_scale: Floats


@dataclass(frozen=True)
class _Shape:
    level: int
    size: float
    ratio: float
    scale_index: int
    ratio_index: int
    per_scale: float


@dataclass(frozen=True)
class AnchorGenerator:
    """What a config's anchor generator says, its scales and aspect ratios as parameters.

    Attributes:
        kind: the generator's name in the config.
        message: its message.
        strides: of each feature map, in pixels.
        scales: as the alias anchor_scales has them: one a layer (SSD), a list (grid), one (multiscale).
        ratios: width to height.
        relative: whether scales are shares of the image's shorter edge; else pixels follow from them.
        inside_only: whether training drops the anchors that reach over the image's edge, as Faster R-CNN does.
        static: whether the generator knows the image's size when it places its grid (not in Faster R-CNN).
        pad_to: what the feature extractor pads edges to a multiple of.
    """

    kind: str
    message: AnchorMessage
    strides: tuple[int, ...]
    scales: tuple[float, ...]
    ratios: tuple[float, ...]
    relative: bool
    inside_only: bool
    static: bool
    pad_to: int

    def shapes(self, scales: Sequence[float], ratios: Sequence[float]) -> AnchorShapes:
        """The shapes with these scales and aspect ratios."""
        found = {"ssd_anchor_generator": self._ssd, "multiscale_anchor_generator": self._multiscale}.get(
            self.kind, self._grid
        )(scales, ratios)
        base_height, base_width = self._base
        size, ratio = (np.array([getattr(each, name) for each in found]) for name in ("size", "ratio"))
        return AnchorShapes(
            level=np.array([each.level for each in found], np.int64),
            height=size / np.sqrt(ratio) * base_height,
            width=size * np.sqrt(ratio) * base_width,
            scale=np.array([each.scale_index for each in found], np.int64),
            ratio=np.array([each.ratio_index for each in found], np.int64),
            per_scale=np.array([each.per_scale for each in found]) * math.sqrt(base_height * base_width),
        )

    def overlaps(self, shapes: AnchorShapes, boxes: Boxes) -> Floats:
        """The greatest IoU of each box with an anchor of each shape: [boxes, shapes]; 0 where a shape has no anchor."""
        parts = [self._overlaps(shapes, boxes[at : at + _CHUNK]) for at in range(0, len(boxes), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(shapes.level)))

    def unit(self, boxes: Boxes) -> Floats:
        """What a shape's height and width are to be multiplied by in each box's image, for pixels."""
        return np.minimum(boxes.image_height, boxes.image_width) if self.relative else np.ones(len(boxes))

    @property
    def skew(self) -> float:
        """Width to height of an anchor of aspect ratio 1."""
        height, width = self._base
        return width / height

    @property
    def _base(self) -> tuple[float, float]:
        if self.kind == "ssd_anchor_generator":
            return float(self.message.base_anchor_height), float(self.message.base_anchor_width)
        if self.kind == "grid_anchor_generator":
            return float(self.message.height), float(self.message.width)
        return 1.0, 1.0

    def _ssd(self, scales: Sequence[float], ratios: Sequence[float]) -> list[_Shape]:
        """`create_ssd_anchors`."""
        found = []
        none = _NO_PARAMETER
        for layer, (scale, following) in enumerate(zip(scales, [*scales[1:], 1.0], strict=True)):
            if layer == 0 and self.message.reduce_boxes_in_lowest_layer:
                found.append(_Shape(layer, _LOWEST_SCALE, 1.0, none, none, 1.0))
                found += [_Shape(layer, scale, ratio, layer, none, 1.0) for ratio in (2.0, 0.5)]
                continue
            found += [_Shape(layer, scale, ratio, layer, number, 1.0) for number, ratio in enumerate(ratios)]
            if (between := self.message.interpolated_scale_aspect_ratio) > 0:
                found.append(_Shape(layer, math.sqrt(scale * following), between, none, none, 1.0))
        return found

    def _multiscale(self, scales: Sequence[float], ratios: Sequence[float]) -> list[_Shape]:
        """`MultiscaleGridAnchorGenerator`."""
        octave = self.message.scales_per_octave
        return [
            _Shape(level, stride * scales[0] * 2 ** (step / octave), ratio, 0, number, stride * 2 ** (step / octave))
            for level, stride in enumerate(self.strides)
            for step in range(octave)
            for number, ratio in enumerate(ratios)
        ]

    def _grid(self, scales: Sequence[float], ratios: Sequence[float]) -> list[_Shape]:
        """`GridAnchorGenerator`."""
        return [
            _Shape(0, scale, ratio, which, number, 1.0)
            for which, scale in enumerate(scales)
            for number, ratio in enumerate(ratios)
        ]

    def _overlaps(self, shapes: AnchorShapes, boxes: Boxes) -> Floats:
        unit = self.unit(boxes)[:, None]
        height, width = shapes.height * unit, shapes.width * unit
        common = self._common(shapes, boxes.center_y, boxes.height, height, boxes.image_height, vertical=True)
        common *= self._common(shapes, boxes.center_x, boxes.width, width, boxes.image_width, vertical=False)
        union = height * width + (boxes.height * boxes.width)[:, None] - common
        return common / union

    def _common(
        self, shapes: AnchorShapes, center: Floats, edge: Floats, anchor: Floats, image: Floats, *, vertical: bool
    ) -> Floats:
        """How many pixels of one direction box and nearest anchor share: [boxes, shapes]."""
        step, offset, count = (value[:, shapes.level] for value in self._placed(image, vertical=vertical))
        low, high = np.zeros_like(anchor), count - 1
        if self.inside_only:
            low = np.maximum(low, np.ceil((anchor / 2 - offset) / step))
            high = np.minimum(high, np.floor((image[:, None] - anchor / 2 - offset) / step))
        nearest = np.clip(np.rint((center[:, None] - offset) / step), low, np.maximum(low, high))
        at = nearest * step + offset
        first = np.maximum(center[:, None] - edge[:, None] / 2, at - anchor / 2)
        last = np.minimum(center[:, None] + edge[:, None] / 2, at + anchor / 2)
        return np.where(low <= high, np.maximum(0.0, last - first), 0.0)

    def _placed(self, image: Floats, *, vertical: bool) -> tuple[Floats, Floats, Floats]:
        """Step and first centre of each feature map's grid in pixels, and its number of cells: [boxes, maps] each."""
        edge, strides = image[:, None], np.array(self.strides, float)[None, :]
        count = np.ceil(np.ceil(edge / self.pad_to) * self.pad_to / strides)
        if self.kind == "multiscale_anchor_generator":
            aligned = (edge % strides == 0) | (not self.static)
            return np.broadcast_to(strides, count.shape), np.where(aligned, strides / 2, 0.0), count
        name = "height" if vertical else "width"
        step_said, offset_said = getattr(self.message, f"{name}_stride"), getattr(self.message, f"{name}_offset")
        if self.kind == "grid_anchor_generator":
            return np.full(count.shape, float(step_said)), np.full(count.shape, float(offset_said)), count
        step = np.broadcast_to(np.array(step_said, float), count.shape) if step_said else edge / count
        offset = np.broadcast_to(np.array(offset_said, float), count.shape) if offset_said else step / 2
        return step, offset, count


def anchor_generator(config: TrainEvalPipelineConfig) -> AnchorGenerator | None:
    """The config's anchor generator; None for a model without anchors.

    Raises:
        ConfigError: a model with anchors names no generator that TensorFlow 2 models use.
    """
    used = config.model.WhichOneof("model") or ""
    if used not in ("ssd", "faster_rcnn"):
        return None
    model = getattr(config.model, used)
    field = "anchor_generator" if used == "ssd" else "first_stage_anchor_generator"
    kind = getattr(model, field).WhichOneof("anchor_generator_oneof") or ""
    if kind not in ("ssd_anchor_generator", "multiscale_anchor_generator", "grid_anchor_generator"):
        raise ConfigError(
            f"model.{used}.{field}: {kind or 'not set'}; anchors are computed for ssd_anchor_generator, "
            "multiscale_anchor_generator and grid_anchor_generator"
        )
    message = getattr(getattr(model, field), kind)
    inside_only = used == "faster_rcnn" and not model.clip_anchors_to_image
    # What Faster R-CNN's extractors would pad to is read by nothing in TensorFlow 2.
    pad_to = max(1, model.feature_extractor.pad_to_multiple) if used == "ssd" else 1
    return AnchorGenerator(
        kind,
        message,
        _strides(kind, message, int(getattr(model.feature_extractor, "first_stage_features_stride", 0))),
        _scales(kind, message),
        tuple(message.aspect_ratios),
        relative=kind == "ssd_anchor_generator",
        inside_only=inside_only,
        static=used == "ssd",
        pad_to=pad_to,
    )


def _strides(kind: str, message: AnchorMessage, features_stride: int) -> tuple[int, ...]:
    if kind == "multiscale_anchor_generator":
        return tuple(2**level for level in range(message.min_level, message.max_level + 1))
    if kind == "ssd_anchor_generator":
        return tuple(_FIRST_SSD_STRIDE * 2**layer for layer in range(message.num_layers))
    return (features_stride or int(message.height_stride),)


def _scales(kind: str, message: AnchorMessage) -> tuple[float, ...]:
    if kind == "multiscale_anchor_generator":
        return (float(message.anchor_scale),)
    if kind == "ssd_anchor_generator" and not message.scales:
        last = max(1, message.num_layers - 1)
        span = message.max_scale - message.min_scale
        return tuple(message.min_scale + span * layer / last for layer in range(message.num_layers))
    return tuple(message.scales)
