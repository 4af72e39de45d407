"""What the API does anew for every image of a batch, or in every graph, though it comes to the same: done once.

Targets are assigned image by image, with some two hundred operations each, the same for every image: half of a training
step's graph at a batch of 16. They become one function, traced once and called for every image. Anchors depend on
nothing but the shapes of the feature maps; where those are known, they are computed once and are constants.

The numbers stay as they are: the same operations run on the same values.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf
    from object_detection.core.anchor_generator import AnchorGenerator
    from object_detection.core.box_list import BoxList
    from object_detection.core.target_assigner import TargetAssigner

    Tensors = dict[str, tf.Tensor]
    Targets = tuple[tf.Tensor, ...]

_KEPT = "_boxtune_shared"  # on an instance: what was traced or computed


def share_repeated_work() -> None:
    """Replace the two methods in this process; a second call does nothing."""
    from object_detection.core import anchor_generator, target_assigner

    for owner, name, shared in (
        (target_assigner.TargetAssigner, "assign", _one_trace),
        (anchor_generator.AnchorGenerator, "generate", _once_for_known_shapes),
    ):
        original = getattr(owner, name)
        if not hasattr(original, _KEPT):
            replacement = shared(original)
            setattr(replacement, _KEPT, original)
            setattr(owner, name, replacement)


@contextmanager
def anchors_in_the_graph() -> Iterator[None]:
    """Within, what is traced computes its anchors itself: a graph that is written to a file cannot share constants."""
    from object_detection.core.anchor_generator import AnchorGenerator

    shared = AnchorGenerator.generate
    AnchorGenerator.generate = getattr(shared, _KEPT, shared)
    try:
        yield
    finally:
        AnchorGenerator.generate = shared


def _one_trace(original: Callable[..., Targets]) -> Callable[..., Targets]:
    """`TargetAssigner.assign` as a call of a function of its own, which Grappler and the tracer see once."""

    def assign(
        self: TargetAssigner,
        anchors: BoxList,
        groundtruth_boxes: BoxList,
        groundtruth_labels: tf.Tensor | None = None,
        unmatched_class_label: tf.Tensor | None = None,
        groundtruth_weights: tf.Tensor | None = None,
    ) -> Targets:
        if not hasattr(self, _KEPT):
            setattr(self, _KEPT, _traced(self, original))
        shared: Callable[..., Targets] = getattr(self, _KEPT)
        return shared(
            _tensors(anchors),
            _tensors(groundtruth_boxes),
            groundtruth_labels,
            unmatched_class_label,
            groundtruth_weights,
        )

    return assign


def _traced(assigner: TargetAssigner, original: Callable[..., Targets]) -> Callable[..., Targets]:
    import tensorflow as tf

    # Not inlined: as many copies of its operations as there are images is what this avoids.
    @tf.function(autograph=False, experimental_attributes={"_noinline": True})
    def assign(
        anchors: Tensors,
        boxes: Tensors,
        labels: tf.Tensor | None,
        unmatched: tf.Tensor | None,
        weights: tf.Tensor | None,
    ) -> Targets:
        return original(assigner, _box_list(anchors), _box_list(boxes), labels, unmatched, weights)

    traced: Callable[..., Targets] = assign
    return traced


def _tensors(boxes: BoxList) -> Tensors:
    return {field: boxes.get_field(field) for field in boxes.get_all_fields()}


def _box_list(tensors: Tensors) -> BoxList:
    from object_detection.core.box_list import BoxList

    fields = dict(tensors)
    boxes = BoxList(fields.pop("boxes"))
    for field, tensor in fields.items():
        boxes.add_field(field, tensor)
    return boxes


def _once_for_known_shapes(original: Callable[..., list[BoxList]]) -> Callable[..., list[BoxList]]:
    """`AnchorGenerator.generate`, its result kept where every shape is a number."""
    import tensorflow as tf

    def generate(
        self: AnchorGenerator, feature_map_shape_list: Sequence[Sequence[int] | tf.Tensor], **params: object
    ) -> list[BoxList]:
        key = _known(feature_map_shape_list, params)
        if key is None:
            return original(self, feature_map_shape_list, **params)
        kept = vars(self).setdefault(_KEPT, {})
        if key not in kept:
            with tf.init_scope():  # outside of the graph that is being traced
                kept[key] = [_tensors(boxes) for boxes in original(self, feature_map_shape_list, **params)]
        return [_box_list(tensors) for tensors in kept[key]]

    return generate


def _known(shapes: Sequence[Sequence[int] | tf.Tensor], params: Mapping[str, object]) -> Hashable | None:
    """The arguments as a key, or None where one of them is a tensor."""
    if not all(isinstance(shape, list | tuple) for shape in shapes):
        return None
    edges = tuple(tuple(shape) for shape in shapes)
    if not all(isinstance(number, int) for number in (*itertools.chain(*edges), *params.values())):
        return None
    return edges, *sorted(params.items())
