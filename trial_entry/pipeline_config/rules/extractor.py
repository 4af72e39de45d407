"""What a feature extractor must be: one of TensorFlow 2, of the model's own architecture, with the blocks it takes.

The source is the API's `builders/model_builder.py`, which ends otherwise in a KeyError or a TypeError.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.extractors import Extractor, architecture_of, extractor_of, nearest_extractor
from trial_entry.pipeline_config.protos import (
    CenterNetFeatureExtractor,
    FasterRcnnFeatureExtractor,
    SsdFeatureExtractor,
    TrainEvalPipelineConfig,
)
from trial_entry.pipeline_config.rules.rule import refused, warned

_CHANNELS = (0, 1, 3)  # none, one for all colours, one a colour
_FETCHED = 1.0  # the depth_multiplier of a CenterNet's MobileNet whose weights Keras fetches


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `feature_extractor`."""
    extractor = extractor_of(config)
    if extractor is None:
        return
    if not extractor.is_known:
        yield _unknown(extractor)
        return
    for block, takers in extractor.refused_blocks():
        right = f"{', '.join(takers)} take it" if takers else "no feature extractor of TensorFlow 2 does"
        yield refused(f"{extractor.path}.{block}", f"{extractor.kind} does not take it", f"leave it out; {right}")
    yield from _OWN[extractor.architecture](extractor, extractor.message)


def _unknown(extractor: Extractor) -> Finding:
    path, kind = f"{extractor.path}.type", extractor.kind
    nearest = nearest_extractor(kind, extractor.architecture)
    if not kind:
        return refused(path, "not set", f"it must be a feature extractor, such as {nearest}")
    other = architecture_of(kind)
    if other:
        what = f"{kind} belongs to {other}, and this config's model is {extractor.architecture}"
        return refused(path, what, f"{nearest} is of {extractor.architecture}; model.{other} needs a model of its own")
    what = f"TensorFlow 2 has no {extractor.architecture} feature extractor {kind}"
    return refused(path, what, f"the nearest that it has is {nearest}")


def _ssd(extractor: Extractor, message: SsdFeatureExtractor) -> Iterator[Finding]:
    path, kind = extractor.path, extractor.kind
    own = ("use_explicit_padding", "use_depthwise") if "resnet" in kind or "efficientnet" in kind else ()
    for name in own:
        if getattr(message, name):
            yield refused(f"{path}.{name}", f"{kind} does not take it", "must be false")
    if "efficientnet" in kind and message.depth_multiplier != 1.0:
        yield refused(
            f"{path}.depth_multiplier", f"{kind} has one width alone", "must be 1; another number b0 to b7 is wider"
        )
    if "efficientnet" in kind and message.HasField("bifpn"):
        for name in ("num_iterations", "num_filters"):
            if getattr(message.bifpn, name) < 1:
                yield refused(f"{path}.bifpn.{name}", f"is {getattr(message.bifpn, name)}", "must be at least 1")
    yield from _levels(extractor)


def _faster_rcnn(extractor: Extractor, message: FasterRcnnFeatureExtractor) -> Iterator[Finding]:
    path, kind = extractor.path, extractor.kind
    if extractor.is_pyramid and not message.HasField("conv_hyperparams"):
        yield refused(f"{path}.conv_hyperparams", "not set", f"{kind} makes its pyramid with it")
    if not extractor.is_pyramid and message.HasField("conv_hyperparams"):
        yield refused(f"{path}.conv_hyperparams", f"{kind} does not take it", "leave it out; those with fpn take it")
    strides = (8, 16) if extractor.is_pyramid or "inception" in kind else (16,)
    if message.first_stage_features_stride not in strides:
        what = f"is {message.first_stage_features_stride}"
        yield refused(f"{path}.first_stage_features_stride", what, f"must be {' or '.join(map(str, strides))}")
    yield from _levels(extractor)


def _center_net(extractor: Extractor, message: CenterNetFeatureExtractor) -> Iterator[Finding]:
    for name in ("channel_means", "channel_stds"):
        found = len(getattr(message, name))
        if found not in _CHANNELS:
            yield refused(f"{extractor.path}.{name}", f"has {found} numbers", "must have 3, one a colour")
    if extractor.kind.startswith("mobilenet") and message.depth_multiplier == _FETCHED:
        what = f"{extractor.kind} begins from ImageNet weights that Keras fetches from the internet for each trial"
        right = "where trials have no internet they fail; with another depth_multiplier than 1 it begins from chance"
        yield warned(f"{extractor.path}.type", what, right)
    for number, deviation in enumerate(message.channel_stds):
        if not deviation:
            yield refused(f"{extractor.path}.channel_stds.{number}", "is 0, and images are divided by it")


def _levels(extractor: Extractor) -> Iterator[Finding]:
    if extractor.is_pyramid and extractor.maps() < 1:
        low, high = extractor.levels()
        yield refused(
            f"{extractor.path}.type", f"its pyramid begins at level {low} and ends at {high}", "min_level <= max_level"
        )


_OWN = {"ssd": _ssd, "faster_rcnn": _faster_rcnn, "center_net": _center_net}
