"""Whether the anchors fit the feature maps that they stand on.

The sources are the API's `anchor_generators`, which compare the number of maps with that of their own layers.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.extractors import Extractor
from trial_entry.pipeline_config.protos import (
    AnchorGenerator,
    AnchorMessage,
    FlexibleGridAnchorGenerator,
    MultiscaleAnchorGenerator,
    SsdAnchorGenerator,
)
from trial_entry.pipeline_config.rules.rule import refused, warned

_LOWEST = 3  # boxes of the first layer where reduce_boxes_in_lowest_layer is set


def anchors_a_cell(generators: AnchorGenerator) -> list[int]:
    """How many anchors a cell of each map has, by the config's AnchorGenerator message; empty where it names none."""
    kind = generators.WhichOneof("anchor_generator_oneof")
    if kind is None:
        return []
    message = getattr(generators, kind)
    if kind == "ssd_anchor_generator":
        layers = min(message.num_layers, len(message.scales) or message.num_layers)
        boxes = len(message.aspect_ratios) + (message.interpolated_scale_aspect_ratio > 0)
        return [_LOWEST if not layer and message.reduce_boxes_in_lowest_layer else boxes for layer in range(layers)]
    if kind == "multiscale_anchor_generator":
        boxes = len(message.aspect_ratios) * message.scales_per_octave
        return [boxes] * (message.max_level - message.min_level + 1)
    if kind == "flexible_grid_anchor_generator":
        return [len(grid.base_sizes) for grid in message.anchor_grid]
    return [len(message.scales) * len(message.aspect_ratios)]


def anchor_findings(path: str, generators: AnchorGenerator, extractor: Extractor) -> Iterator[Finding]:
    """Of one anchor generator.

    Args:
        path: the AnchorGenerator's.
        generators: its message.
        extractor: whose maps the anchors stand on.
    """
    kind = generators.WhichOneof("anchor_generator_oneof")
    if kind is None:
        return
    message, cells = getattr(generators, kind), anchors_a_cell(generators)
    path = f"{path}.{kind}"
    if kind == "ssd_anchor_generator":
        yield from _lengths(path, message)
    empty = [number for number, boxes in enumerate(cells) if not boxes]
    if empty:
        yield refused(f"{path}.{_empty(kind, message)}", f"is empty, so feature map {empty[0]} has no anchors")
    if kind == "multiscale_anchor_generator" and message.min_level > message.max_level:
        yield refused(f"{path}.min_level", f"is {message.min_level}, above max_level {message.max_level}")
    elif extractor.is_known and len(cells) != extractor.maps():
        yield refused(*_mismatch(path, kind, message, len(cells), extractor))
    elif kind == "multiscale_anchor_generator" and extractor.is_known and extractor.is_pyramid:
        yield from _shifted(path, message, extractor)


def _shifted(path: str, message: MultiscaleAnchorGenerator, extractor: Extractor) -> Iterator[Finding]:
    """The API places these anchors without a word: in one corner of the image, or beyond it."""
    if (message.min_level, message.max_level) != extractor.levels():
        what = f"has levels {message.min_level} to {message.max_level}, and {extractor.maps_said()}"
        yield warned(f"{path}.min_level", f"{what}: the anchors do not stand on their cells", "the same levels")


def _lengths(path: str, message: SsdAnchorGenerator) -> Iterator[Finding]:
    for name in ("height_stride", "width_stride", "height_offset", "width_offset"):
        found = len(getattr(message, name))
        if found not in (0, message.num_layers):
            what = f"has {found} numbers, and num_layers is {message.num_layers}"
            yield refused(f"{path}.{name}", what, "one a layer, or none")


def _empty(kind: str, message: AnchorMessage | FlexibleGridAnchorGenerator) -> str:
    if kind == "grid_anchor_generator" and not message.scales:
        return "scales"
    return "anchor_grid" if kind == "flexible_grid_anchor_generator" else "aspect_ratios"


def _mismatch(
    path: str, kind: str, message: AnchorMessage | FlexibleGridAnchorGenerator, found: int, extractor: Extractor
) -> tuple[str, str, str]:
    wanted = f"must be {extractor.maps()}, one a feature map: {extractor.maps_said()}"
    if kind == "ssd_anchor_generator":
        name = "scales" if message.scales and len(message.scales) < message.num_layers else "num_layers"
        return f"{path}.{name}", f"is {found}" if name == "num_layers" else f"has {found} numbers", wanted
    if kind == "multiscale_anchor_generator":
        levels = f"has levels {message.min_level} to {message.max_level}, and {extractor.maps_said()}"
        return f"{path}.max_level", levels, "both must have the same levels"
    return path, f"has anchors for {found} feature map{'s' * (found != 1)}", wanted
