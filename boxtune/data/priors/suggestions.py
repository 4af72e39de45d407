"""Data's priors: what a sample of boxes suggests for a config: image size, anchors, detections kept.

Each is an alias's value, so that a trial takes it as `--set=NAME=VALUE` and an Experiment searches around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from boxtune.data.priors.anchor_fit import AnchorFit, better, fit_anchors, measure_anchors
from boxtune.data.priors.box_sample import BoxSample
from boxtune.errors import InputError
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config import image_size
from trial_entry.pipeline_config.aliases import ALIASES
from trial_entry.pipeline_config.aliases.alias import Feasible, between, choices, numbers
from trial_entry.pipeline_config.anchors import AnchorGenerator, Boxes, anchor_generator
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.field_paths import shortest
from trial_entry.pipeline_config.inputs import readers
from trial_entry.pipeline_config.listing import Assignable, assignable
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.resizing import resized
from trial_entry.pipeline_config.text import parse_config

USUAL = "model zoo's SSDs (a pyramid of 640 x 640 pixels)"
_USUAL_CONFIG = """model { ssd { num_classes: 1
  image_resizer { fixed_shape_resizer { height: 640 width: 640 } }
  feature_extractor { type: "ssd_mobilenet_v2_fpn_keras" }
  anchor_generator { multiscale_anchor_generator { min_level: 3 max_level: 7 anchor_scale: 4.0
    aspect_ratios: [1.0, 2.0, 0.5] scales_per_octave: 2 } }
  post_processing { batch_non_max_suppression { max_detections_per_class: 100 max_total_detections: 100 } } } }"""
_CENTER_NET_STRIDE = 4
_TOO_SMALL = 0.05  # of the boxes, that may be smaller than a cell
_SLACK = 1.5  # detections kept for each object of the fullest image
_COUNTS = (10, 20, 50, 100, 200, 300, 500, 1000, 1500, 2000, 3000)
_REDUCED = "model.ssd.anchor_generator.ssd_anchor_generator.reduce_boxes_in_lowest_layer"
_AROUND = (0.8, 1.25)  # factors on lists
_FAR = 1.5  # factor on one scale, either way


@dataclass(frozen=True)
class Prior:
    """One suggestion.

    Attributes:
        name: an alias, or the path of a field that no alias has.
        now: the config's value, as an assignment would write it; None where it has none.
        suggested: likewise; equal to `now` where the config is right.
        why: what of the data says so, one line.
        searched: the alias with a range around the suggestion; None for a field that is no matter of search.
    """

    name: str
    now: str | None
    suggested: str
    why: str
    searched: Assignable | None = None

    @property
    def changes(self) -> bool:
        """Whether the config has something else now."""
        return self.now != self.suggested


@dataclass(frozen=True)
class Priors:
    """What data suggest for one config.

    Attributes:
        priors: one a name.
        now, suggested: how the config's anchors fit, and the suggested ones (at the suggested image size); None for a
            model without anchors.
        sample: what it was read from.
    """

    priors: Sequence[Prior]
    now: AnchorFit | None
    suggested: AnchorFit | None
    sample: BoxSample


def usual_config() -> TrainEvalPipelineConfig:
    """What the suggestions are for where no config is given."""
    return parse_config(_USUAL_CONFIG, "")


def suggest(config: TrainEvalPipelineConfig, sample: BoxSample) -> Priors:
    """What `sample` suggests for `config`.

    Raises:
        InputError: there is no box.
        ConfigError: the config's model has no size, or anchors that are not known.
    """
    if not len(sample.xmin):
        raise InputError(f"{', '.join(sample.splits)}: no box with an area; there is nothing to suggest from")
    sized, size = _image_size(config, sample)
    generator = anchor_generator(config)
    now = suggested = None
    anchors: list[Prior] = []
    if generator is not None:
        now = measure_anchors(generator, generator.scales, generator.ratios, boxes_of(config, sample))
        anchors, suggested = _anchors(sized, sample)
    return Priors([size, *anchors, *_detections(config, sample)], now, suggested, sample)


def boxes_of(config: TrainEvalPipelineConfig, sample: BoxSample) -> Boxes:
    """The boxes as the model of `config` sees them, in pixels.

    Raises:
        AssignmentError: the config's resizer has no size.
    """
    made = resized(config, sample.image_height, sample.image_width)
    return Boxes(
        image_height=made.padded_height,
        image_width=made.padded_width,
        center_y=(sample.ymin + sample.ymax) / 2 * made.height,
        center_x=(sample.xmin + sample.xmax) / 2 * made.width,
        height=(sample.ymax - sample.ymin) * made.height,
        width=(sample.xmax - sample.xmin) * made.width,
    )


def _image_size(config: TrainEvalPipelineConfig, sample: BoxSample) -> tuple[TrainEvalPipelineConfig, Prior]:
    """The config with the smallest size, from its own on, at which nearly no object is smaller than a cell."""
    now = int(image_size.current(config))
    generator = anchor_generator(config)
    cell = generator.strides[0] if generator is not None else _CENTER_NET_STRIDE
    share_now = share = _smaller_than(config, sample, cell)
    chosen = larger = config
    for size in _larger_sizes(config, sample, now) if share_now > _TOO_SMALL else ():
        larger = _with(config, "image_size", str(size))
        share = _smaller_than(larger, sample, cell)
        if share <= _TOO_SMALL:
            break
    if share <= max(_TOO_SMALL, share_now / 2):
        chosen = larger
    taken = image_size.current(chosen)
    why = f"{share_now:.1%} of the objects have a side under {cell} pixels, the finest map's cell"
    if int(taken) != now:
        why += f", and {share:.1%} at {taken}; a step takes about {(int(taken) / now) ** 2:.2g} times as long"
    elif share > _TOO_SMALL:
        why += ", and hardly fewer in larger pictures: take a model with a finer map, or tile the images"
    feasible = numbers(*image_size.possible(chosen))
    return chosen, Prior("image_size", str(now), taken, why, _around(config, "image_size", feasible))


def _smaller_than(config: TrainEvalPipelineConfig, sample: BoxSample, cell: int) -> float:
    boxes = boxes_of(config, sample)
    return float((np.minimum(boxes.height, boxes.width) < cell).mean())


def _larger_sizes(config: TrainEvalPipelineConfig, sample: BoxSample, now: int) -> Iterator[int]:
    """Usual sizes above the one now, up to the first that is not below the images' own."""
    own = float(np.median(np.maximum(sample.image_height, sample.image_width)))
    for size in image_size.fitting(config):
        if size > now:
            yield size
            if size >= own:
                return


def _anchors(config: TrainEvalPipelineConfig, sample: BoxSample) -> tuple[list[Prior], AnchorFit]:
    """What is suggested for the anchors of `config`, and how that fits."""
    boxes = boxes_of(config, sample)
    generator = _generator(config)
    # A checkpoint that is restored whole has a head for as many anchors as the config has.
    whole = bool(config.train_config.fine_tune_checkpoint) and config.train_config.fine_tune_checkpoint_type == "full"
    chosen = kept = measure_anchors(generator, generator.scales, generator.ratios, boxes)
    priors = []
    if better(found := fit_anchors(generator, boxes, same_number=whole), kept):
        chosen = found
    if not whole and generator.kind == "ssd_anchor_generator" and generator.message.reduce_boxes_in_lowest_layer:
        full = _with(config, _REDUCED, "false")
        if better(found := fit_anchors(_generator(full), boxes), chosen):
            chosen = found
            priors.append(Prior(_REDUCED, "true", "false", "the lowest layer has three fixed shapes otherwise"))
    sizes, ratios = np.sqrt(boxes.height * boxes.width), boxes.width / boxes.height
    for name, values, before, measured, what in (
        (
            "anchor_scales",
            chosen.scales,
            generator.scales,
            sizes,
            "pixels large (root of the area) as the model sees it",
        ),
        ("aspect_ratios", chosen.ratios, generator.ratios, ratios, "times as wide as high"),
    ):
        low, high = np.percentile(measured, (25, 75))
        why = f"half of the boxes are {low:.3g} to {high:.3g} {what}"
        why += "" if chosen is not kept else "; nothing that was tried meets more of them"
        priors.append(_anchor_prior(config, name, (values, before), why))
    return priors, chosen


def _anchor_prior(
    config: TrainEvalPipelineConfig, name: str, values: tuple[Sequence[float], Sequence[float]], why: str
) -> Prior:
    """Of values and those before; equal ones are written as the config has them."""
    now = ALIASES[name].current(config) or None
    same = len(values[0]) == len(values[1]) and np.allclose(sorted(values[0]), sorted(values[1]), rtol=1e-3)
    suggested = (now if same else None) or _listed(values[0])
    feasible = _anchors_around(_generator(config), name, suggested, now)
    return Prior(name, now, suggested, why, _around(config, name, feasible))


def _generator(config: TrainEvalPipelineConfig) -> AnchorGenerator:
    found = anchor_generator(config)
    assert found is not None  # asked only where there is one
    return found


def _with(config: TrainEvalPipelineConfig, name: str, value: str) -> TrainEvalPipelineConfig:
    """A copy with one assignment."""
    return BaseConfig(config, "", Path()).model([Assignment(name, value)])


def _anchors_around(generator: AnchorGenerator, name: str, suggested: str, now: str | None) -> Feasible:
    values = [float(value) for value in suggested.split(",")]
    if name == "anchor_scales" and generator.kind == "multiscale_anchor_generator":
        return between(float(f"{values[0] / _FAR:.3g}"), float(f"{values[0] * _FAR:.3g}"), log=True)
    others = [now] if now else []
    if name == "anchor_scales":
        others += [_listed([float(f"{value * factor:.3g}") for value in values]) for factor in _AROUND]
    else:
        others += ["1.0,2.0,0.5"]
    return choices(*dict.fromkeys([suggested, *others]))


def _detections(config: TrainEvalPipelineConfig, sample: BoxSample) -> Iterator[Prior]:
    """What is kept of an image: of detections, and of its objects when they are read."""
    now = ALIASES["max_detections"].current(config)
    if now is not None:
        enough = _round_up(math.ceil(sample.most * _SLACK))
        taken = max(enough, int(now))
        why = f"the fullest image has {sample.most} objects"
        feasible = numbers(*sorted({enough, taken, 2 * taken, 100}))
        yield Prior("max_detections", now, str(taken), why, _around(config, "max_detections", feasible))
    for path, reader in readers(config):
        if reader.max_number_of_boxes < sample.most:
            why = f"an image has {sample.most} objects; those above this number are not read"
            name, read = f"{path}.max_number_of_boxes", str(reader.max_number_of_boxes)
            yield Prior(name, read, str(_round_up(sample.most)), why)


def _around(config: TrainEvalPipelineConfig, name: str, feasible: Feasible) -> Assignable:
    return replace(assignable(config, ALIASES[name]), feasible=feasible)


def _round_up(count: int) -> int:
    return next((step for step in _COUNTS if step >= count), math.ceil(count / 1000) * 1000)


def _listed(values: Sequence[float]) -> str:
    return ",".join(shortest(value) for value in values)
