"""The aliases on the model zoo's configs: what each has, what assigning it changes, what it says where it has none."""

from __future__ import annotations

import pytest

from tests.configs.zoo import ZOO
from trial_entry.contract.arguments import Assignment
from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases import ALIASES, current_value, field_of
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.listing import assignable_aliases, assignable_fields
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import assign
from trial_entry.pipeline_config.text import parse_config

ALWAYS = {
    "model", "feature_extractor", "learning_rate", "batch_size", "num_steps", "epochs", "optimizer",
    "bfloat16", "gradient_clipping", "fine_tune_checkpoint", "image_size", "max_detections", "localization_loss_weight",
    "classification_loss_weight",
}  # fmt: skip
OF_SSD = {"nms_iou_threshold", "nms_score_threshold", "weight_decay", "focal_gamma", "focal_alpha", "anchor_scales",
          "aspect_ratios", "momentum", "warmup_fraction"}  # fmt: skip
OF_FASTER_RCNN = OF_SSD - {"focal_gamma", "focal_alpha"}
OTHERS = {  # a value that each alias takes and no zoo config has
    "model": "ssd_resnet152_v1_fpn_keras", "learning_rate": "0.0123", "batch_size": "48", "num_steps": "1234",
    "warmup_fraction": "0.3", "optimizer": "rms_prop", "momentum": "0.77", "gradient_clipping": "3",
    "fine_tune_checkpoint": "elsewhere/ckpt-7", "image_size": "384", "nms_iou_threshold": "0.47",
    "nms_score_threshold": "0.03", "max_detections": "37", "weight_decay": "0.0007", "focal_gamma": "1.25",
    "focal_alpha": "0.33", "localization_loss_weight": "0.7", "classification_loss_weight": "1.7",
    "aspect_ratios": "1,0.25",
}  # fmt: skip


@pytest.fixture(params=sorted(ZOO))
def config(request: pytest.FixtureRequest) -> TrainEvalPipelineConfig:
    return parse_config(ZOO[request.param], request.param)


def set_one(config: TrainEvalPipelineConfig, name: str, value: str) -> None:
    assign(config, [Assignment(name, value)], Surroundings(lambda _: 100, checkpoints={value: "none"}))


def test_each_has_the_aliases_of_its_kind(config: TrainEvalPipelineConfig) -> None:
    kind = config.model.WhichOneof("model")
    own = {"ssd": OF_SSD, "faster_rcnn": OF_FASTER_RCNN, "center_net": set()}[kind]
    found = {each.name for each in assignable_aliases(config) if "." not in each.name}
    assert found - {"warmup_fraction"} == (ALWAYS | own) - {"warmup_fraction"}
    cosine = "cosine" in field_of(config, "learning_rate")
    assert ("warmup_fraction" in found) == cosine


def test_assigning_what_it_has_changes_nothing(config: TrainEvalPipelineConfig) -> None:
    """The baseline is the base config, assignment by assignment."""
    before = TrainEvalPipelineConfig()
    before.CopyFrom(config)
    for each in assignable_aliases(config):
        if each.current is not None:
            set_one(config, each.name, each.current)
            assert current_value(config, each.name) == each.current
    assert assignable_fields(config) == assignable_fields(before)


def test_assigning_changes_what_it_names(config: TrainEvalPipelineConfig) -> None:
    for each in assignable_aliases(config):
        if each.name in OTHERS:
            changed = TrainEvalPipelineConfig()
            changed.CopyFrom(config)
            set_one(changed, each.name, OTHERS[each.name])
            assert current_value(changed, each.name) == OTHERS[each.name]
            assert changed != config


def test_what_is_suggested_can_be_assigned(config: TrainEvalPipelineConfig) -> None:
    for each in assignable_aliases(config):
        if each.feasible is None:
            continue
        for value in each.feasible.values or (each.feasible.low, each.feasible.high):
            changed = TrainEvalPipelineConfig()
            changed.CopyFrom(config)
            set_one(changed, each.name, value)


def test_a_missing_alias_says_what_there_is_instead(config: TrainEvalPipelineConfig) -> None:
    found = {each.name for each in assignable_aliases(config)}
    for name in ALIASES.keys() - found:
        with pytest.raises(AssignmentError, match=rf"^{name}: .*(has|have)"):
            set_one(config, name, "1")


def test_every_field_path_can_be_assigned_its_own_value(config: TrainEvalPipelineConfig) -> None:
    fields = assignable_fields(config)
    assert len(fields) > 100
    for each in fields:
        if each.current or "list" not in each.kind:
            set_one(config, each.name, each.current or "")
