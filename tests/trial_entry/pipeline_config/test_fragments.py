"""Swapping blocks: what comes along, what stays, what a swapped-in model starts from, what is refused."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.configs.zoo import ZOO
from trial_entry.contract.arguments import Assignment
from trial_entry.errors import AssignmentError, ConfigError, RequestError
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.fragments import BUILT_IN, PARTS, Fragments
from trial_entry.pipeline_config.listing import assignable_fields
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import assign
from trial_entry.pipeline_config.text import parse_config

SSD = {
    "ssd_mobilenet_v2_keras": "ssd_mobilenet_v2_320x320",
    "ssd_mobilenet_v2_fpn_keras": "ssd_mobilenet_v2_fpnlite_320x320",
    "ssd_resnet50_v1_fpn_keras": "ssd_resnet50_v1_fpn_640x640",
    "ssd_efficientnet-b0_bifpn_keras": "efficientdet_d0_512x512",
}
FASTER_RCNN = {
    "faster_rcnn_resnet50_keras": "faster_rcnn_resnet50_v1_640x640",
    "faster_rcnn_resnet50_fpn_keras": "faster_rcnn_resnet50_v1_fpn_640x640",
}
PAIRS = [*permutations(SSD, 2), *permutations(FASTER_RCNN, 2)]
CONFIGS = SSD | FASTER_RCNN
SIZE = Assignment("image_size", "512")


def zoo(extractor: str) -> TrainEvalPipelineConfig:
    return parse_config(ZOO[CONFIGS[extractor]], extractor)


def swapped(config: TrainEvalPipelineConfig, *assignments: str, **surroundings: object) -> TrainEvalPipelineConfig:
    given = [Assignment.parse(text) for text in assignments]
    assign(config, [*given, SIZE], Surroundings(**surroundings))  # type: ignore[arg-type]
    return config


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_swap_brings_the_zoo_s_blocks_and_keeps_the_rest(before: str, after: str) -> None:
    config, original, target = zoo(before), zoo(before), zoo(after)
    swapped(config, f"feature_extractor={after}", "fine_tune_checkpoint=none")
    kind = config.model.WhichOneof("model")
    parts = tuple(f"model.{kind}.{part}" for part in PARTS[kind])
    values, wanted, old = (
        {each.name: each.current for each in assignable_fields(of)} for of in (config, target, original)
    )
    assert {name for name in values if name.startswith(parts)} == {name for name in wanted if name.startswith(parts)}
    for name, value in values.items():
        if name.startswith(parts):
            assert value == wanted[name], name
        elif "image_resizer" not in name and "checkpoint" not in name:
            assert value == old[name], name


@pytest.mark.parametrize("name", CONFIGS)
def test_a_whole_model_is_the_zoo_s(name: str) -> None:
    """Two-stage from one-stage and back: every block of the zoo's model, the number of classes from the config."""
    other = next(iter(SSD if name in FASTER_RCNN else FASTER_RCNN))
    config = zoo(other)
    kind_before = config.model.WhichOneof("model")
    getattr(config.model, kind_before).num_classes = 7
    swapped(config, f"model={name}", "fine_tune_checkpoint=none")
    kind = config.model.WhichOneof("model")
    assert kind != kind_before
    model = getattr(config.model, kind)
    assert model.num_classes == 7
    assert str(model.feature_extractor) == str(getattr(zoo(name).model, kind).feature_extractor)


def test_the_extractor_that_it_has_stays_as_it_is() -> None:
    config = zoo("ssd_mobilenet_v2_keras")
    config.model.ssd.anchor_generator.ssd_anchor_generator.min_scale = 0.05
    swapped(config, "feature_extractor=ssd_mobilenet_v2_keras")
    assert config.model.ssd.anchor_generator.ssd_anchor_generator.min_scale == pytest.approx(0.05)
    assert config.train_config.fine_tune_checkpoint


def test_other_assignments_reach_what_the_swap_brought() -> None:
    config = swapped(
        zoo("ssd_mobilenet_v2_keras"),
        "model.ssd.feature_extractor.fpn.additional_layer_depth=64",
        "weight_decay=0.001",
        "aspect_ratios=1.0,3.0",
        "feature_extractor=ssd_mobilenet_v2_fpn_keras",
        "fine_tune_checkpoint=none",
    )
    ssd = config.model.ssd
    assert ssd.feature_extractor.fpn.additional_layer_depth == 64
    assert ssd.anchor_generator.multiscale_anchor_generator.aspect_ratios[:] == [1.0, 3.0]
    assert ssd.feature_extractor.conv_hyperparams.regularizer.l2_regularizer.weight == pytest.approx(0.001)


@pytest.mark.parametrize("name", BUILT_IN.feature_extractors())
def test_every_one_has_its_own_type_and_makes_a_model(name: str) -> None:
    assert BUILT_IN.feature_extractor(name).model.feature_extractor.type == name
    assert BUILT_IN.model(name).model.feature_extractor.type == name


@pytest.mark.parametrize("assignment", ["feature_extractor=ssd_resnet50_v1_fpn_keras", "model=hourglass_52"])
def test_a_checkpoint_of_another_extractor_must_be_answered_for(assignment: str) -> None:
    name = assignment.partition("=")[2]
    with pytest.raises(
        AssignmentError, match=rf"was made for ssd_mobilenet_v2_keras; .*--checkpoint_for={name}=PREFIX"
    ):
        swapped(zoo("ssd_mobilenet_v2_keras"), assignment)
    assert not swapped(
        zoo("ssd_mobilenet_v2_keras"), assignment, "fine_tune_checkpoint=none"
    ).train_config.fine_tune_checkpoint
    mapped = swapped(zoo("ssd_mobilenet_v2_keras"), assignment, checkpoints={name: "/models/ckpt-0"})
    assert mapped.train_config.fine_tune_checkpoint == "/models/ckpt-0"
    none = swapped(zoo("ssd_mobilenet_v2_keras"), assignment, checkpoints={name: "none"})
    assert not none.train_config.fine_tune_checkpoint


OWN = """model { ssd { feature_extractor { type: "ssd_mobilenet_v1_keras" conv_hyperparams {
  regularizer { l2_regularizer { weight: 0.1 } } initializer { truncated_normal_initializer { } } } } } }
train_config { fine_tune_checkpoint: "weights/ckpt-3" fine_tune_checkpoint_type: "classification"
  fine_tune_checkpoint_version: V2 }"""


def own(folder: Path, text: str = OWN, name: str = "mine", kind: str = "feature_extractors") -> Fragments:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.pbtxt").write_text(text)
    return Fragments((folder,))


def test_a_fragment_of_one_s_own_brings_its_checkpoint(tmp_path: Path) -> None:
    config = swapped(zoo("ssd_mobilenet_v2_keras"), "feature_extractor=mine", fragments=own(tmp_path))
    assert config.model.ssd.feature_extractor.type == "ssd_mobilenet_v1_keras"
    assert config.model.ssd.anchor_generator.ssd_anchor_generator.num_layers == 6  # not in the fragment: stays
    assert config.train_config.fine_tune_checkpoint == str(tmp_path / "feature_extractors" / "weights" / "ckpt-3")
    assert config.train_config.fine_tune_checkpoint_type == "classification"


def test_a_model_of_one_s_own(tmp_path: Path) -> None:
    text = ZOO["faster_rcnn_resnet101_v1_800x1333"].partition("train_config")[0]
    config = swapped(zoo("ssd_mobilenet_v2_keras"), "model=big", "fine_tune_checkpoint=none",
                     fragments=own(tmp_path, text, "big", "models"))  # fmt: skip
    assert config.model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer.max_dimension == 512  # its own, then SIZE
    assert config.model.faster_rcnn.num_classes == 90


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model { ssd { feature_extracter { } } }", r'mine\.pbtxt:1:.*no field "feature_extracter"'),
        ("train_config { }", r"mine\.pbtxt: model: must be one of ssd, faster_rcnn, center_net, not left out"),
        ("model { ssd { } }", r"model\.ssd\.feature_extractor\.type: must be given"),
        (OWN + "eval_config { }", r"eval_config: a fragment holds model"),
        (OWN.replace("train_config {", "train_config { batch_size: 3 "), r"train_config\.batch_size: a fragment holds"),
        (
            OWN.replace("model { ssd {", "model { ssd { num_classes: 3 "),
            r"num_classes: a feature extractor leaves this",
        ),
    ],
)
def test_a_malformed_fragment_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        swapped(zoo("ssd_mobilenet_v2_keras"), "feature_extractor=mine", fragments=own(tmp_path, text))


@pytest.mark.parametrize(
    ("assignments", "says"),
    [
        (
            ["feature_extractor=faster_rcnn_resnet50_keras"],
            "belongs to faster_rcnn, this config's model is ssd; assign model",
        ),
        (
            ["feature_extractor=ssd_resnet50_fpn"],
            'there is no ssd_resnet50_fpn; the nearest is "ssd_resnet50_v1_fpn_keras"',
        ),
        (["model=ssd_resnet50_fpn"], 'model: there is no ssd_resnet50_fpn; the nearest is "ssd_resnet50_v1_fpn_keras"'),
        (["feature_extractor=ssd_resnet50_v1_fpn_keras"] * 2, "is assigned twice"),
        (["model.ssd.feature_extractor.type=x", "feature_extractor=ssd_resnet50_v1_fpn_keras"], "is assigned twice"),
    ],
)
def test_a_fragment_that_does_not_fit_is_refused(assignments: list[str], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        swapped(zoo("ssd_mobilenet_v2_keras"), *assignments, checkpoints={"ssd_resnet50_v1_fpn_keras": "none"})


def test_two_fragments_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("ssd_mobilenet_v2_fpn_keras", "ssd_resnet101_v1_fpn_keras"):
        with pytest.raises(AssignmentError, match=f"{name}: there are several fragments of this name"):
            swapped(zoo("ssd_mobilenet_v2_keras"), f"feature_extractor={name}", fragments=own(tmp_path, OWN, name))
    with pytest.raises(AssignmentError, match="nowhere: no such folder"):
        swapped(zoo("ssd_mobilenet_v2_keras"), "feature_extractor=mine", fragments=Fragments((tmp_path / "nowhere",)))


@pytest.mark.parametrize(
    ("extractor", "size", "says"),
    [
        ("ssd_efficientnet-b0_bifpn_keras", "300", "takes at least 129 pixels, a multiple of 128, not 300; .*256, 384"),
        ("ssd_efficientnet-b0_bifpn_keras", "128", "takes at least 129 pixels"),
        ("ssd_resnet50_v1_fpn_keras", "128", "takes at least 129 pixels, a multiple of 32"),
        ("ssd_mobilenet_v2_fpn_keras", "300", "takes .*a multiple of 32, not 300; .*320"),
        ("ssd_mobilenet_v2_keras", "32", "takes at least 33 pixels, not 32"),
    ],
)
def test_a_size_that_the_extractor_cannot_take(extractor: str, size: str, says: str) -> None:
    with pytest.raises(AssignmentError, match=f"image_size: {size}: {extractor} {says}"):
        assign(zoo(extractor), [Assignment("image_size", size)], Surroundings())
