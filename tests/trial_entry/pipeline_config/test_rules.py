"""The rules: what is said of a config with one thing changed, by field; and that sound configs are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.configs.zoo import ZOO
from trial_entry.contract.arguments import Assignment
from trial_entry.finding import Finding
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.unread import unread_fields

SMALL = Path(__file__).parents[2] / "faults" / "configs" / "small.config"
COSINE, EXPONENTIAL = "cosine_decay_learning_rate", "exponential_decay_learning_rate"
MANUAL = "manual_step_learning_rate"
RATE = f"{COSINE} {{ learning_rate_base: 0.001 total_steps: 20 warmup_learning_rate: 0.0002 warmup_steps: 4 }}"
ANCHORS = "model.ssd.anchor_generator.ssd_anchor_generator"
EXTRACTOR = 'type: "ssd_mobilenet_v2_keras"'
PREDICTOR = "model.ssd.box_predictor.convolutional_box_predictor"
MATCHER = "argmax_matcher { matched_threshold: 0.5 unmatched_threshold: 0.5 force_match_for_each_row: true }"
AVERAGE = "use_moving_average: false\n  }"
SCHEDULE = "train_config.optimizer.adam_optimizer.learning_rate."


def found(before: str, after: str, *assignments: tuple[str, str]) -> list[Finding]:
    """The findings of small.config with a part replaced."""
    text = SMALL.read_text()
    assert before in text
    base = BaseConfig.parse(text.replace(before, after), "changed")
    return base.findings([Assignment(*each) for each in assignments])


def said(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(each.severity, each.feature) for each in findings}


@pytest.mark.parametrize("name", sorted(ZOO))
def test_the_zoo_has_at_most_notes(name: str) -> None:
    found = BaseConfig.parse(ZOO[name].replace("PATH_TO_BE_CONFIGURED", "/data"), name).findings([])
    assert {each.severity for each in found} <= {"note"}
    assert len(found) <= 1


@pytest.mark.parametrize(
    ("kind", "fields", "severity", "field"),
    [
        (COSINE, "learning_rate_base: 0.001 total_steps: 19 warmup_steps: 0", "warning", "total_steps"),
        (COSINE, "total_steps: 20 warmup_steps: 4 hold_base_rate_steps: 16", "warning", "hold_base_rate_steps"),
        (COSINE, "total_steps: 100 warmup_steps: 4", "warning", "total_steps"),
        (COSINE, "learning_rate_base: 0.0001 total_steps: 20 warmup_steps: 4", "error", "warmup_learning_rate"),
        (EXPONENTIAL, "decay_steps: 5 burnin_learning_rate: 0.0001", "warning", "burnin_learning_rate"),
        (EXPONENTIAL, "decay_steps: 20", "warning", "decay_steps"),
        (EXPONENTIAL, "decay_steps: 5 initial_learning_rate: nan", "error", "initial_learning_rate"),
        (MANUAL, "initial_learning_rate: 0 schedule { step: 5 learning_rate: 0 }", "error", "initial_learning_rate"),
        (MANUAL, "schedule { step: 5 learning_rate: 0 }", "warning", "schedule.0.learning_rate"),
        (MANUAL, "schedule { step: 20 learning_rate: 0.001 }", "warning", "schedule.0.step"),
    ],
)
def test_a_schedule_that_contradicts_itself(kind: str, fields: str, severity: str, field: str) -> None:
    assert (severity, f"{SCHEDULE}{kind}.{field}") in said(found(RATE, f"{kind} {{ {fields} }}"))


@pytest.mark.parametrize(
    "schedule",
    [
        "constant_learning_rate { learning_rate: 0.001 }",
        "cosine_decay_learning_rate { learning_rate_base: 0.0001 total_steps: 20 warmup_steps: 0 }",
        "manual_step_learning_rate { initial_learning_rate: 0.01 schedule { step: 9 learning_rate: 0.001 } }",
        "exponential_decay_learning_rate { decay_steps: 5 burnin_learning_rate: 0.0001 burnin_steps: 4 }",
    ],
)
def test_a_sound_schedule(schedule: str) -> None:
    assert not found(RATE, schedule)


RISING = """manual_step_learning_rate { initial_learning_rate: 0.00001
  schedule { step: 4 learning_rate: 0.001 } schedule { step: 15 learning_rate: 0.0001 } }"""


def test_the_learning_rate_of_a_rising_schedule_is_its_highest() -> None:
    base = BaseConfig.parse(SMALL.read_text().replace(RATE, RISING), "rising")
    assert base.current("learning_rate") == "0.001"
    config = base.render([Assignment("learning_rate", "0.01")], resolve=False).config
    schedule = config.train_config.optimizer.adam_optimizer.learning_rate.manual_step_learning_rate
    assert schedule.initial_learning_rate == pytest.approx(0.0001)
    assert [step.learning_rate for step in schedule.schedule] == pytest.approx([0.01, 0.001])


def test_few_steps_leave_a_manual_schedule_rising() -> None:
    assert not [each for each in found(RATE, RISING, ("num_steps", "2")) if each.severity == "error"]


def test_num_steps_does_not_hide_what_contradicts_itself() -> None:
    broken = f"{MANUAL} {{ schedule {{ step: 15 learning_rate: 0.0001 }} schedule {{ step: 4 learning_rate: 1e-05 }} }}"
    assert [each for each in found(RATE, broken, ("num_steps", "40")) if each.severity == "error"]


def test_a_floor_scales_along() -> None:
    floor = "exponential_decay_learning_rate { initial_learning_rate: 0.001 decay_steps: 5 min_learning_rate: 0.0005 }"
    assert not found(RATE, floor, ("learning_rate", "0.0001"))


@pytest.mark.parametrize(
    ("before", "more", "field"),
    [
        ("num_layers: 6", "scales: [0.1, 0.2, 0.3, 0.4, 0.5]", f"{ANCHORS}.scales"),
        ("num_layers: 6", "height_stride: [16, 32]", f"{ANCHORS}.height_stride"),
        (EXTRACTOR, "fpn { }", "model.ssd.feature_extractor.fpn"),
        (EXTRACTOR, "num_layers: 5", f"{ANCHORS}.num_layers"),
        ("kernel_size: 1", "use_depthwise: true", f"{PREDICTOR}.kernel_size"),
        ("kernel_size: 1", "box_code_size: 3", f"{PREDICTOR}.box_code_size"),
        ("score_converter: SIGMOID", "logit_scale: 0", "model.ssd.post_processing.logit_scale"),
        (
            AVERAGE,
            "data_augmentation_options { autoaugment_image { } }",
            "train_config.data_augmentation_options.0.autoaugment_image",
        ),
        (
            'input_path: "train.record" }',
            "sample_from_datasets_weights: [1, 2]",
            "train_input_reader.sample_from_datasets_weights",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_by_field(before: str, more: str, field: str) -> None:
    assert ("error", field) in said(found(before, f"{before} {more}"))


def test_a_block_that_tensorflow_2_does_not_build_is_refused() -> None:
    [only] = found(MATCHER, "bipartite_matcher { }")
    assert str(only).startswith("model.ssd.matcher: bipartite_matcher is not built by TensorFlow 2")


def test_an_unread_field_with_its_default_says_nothing() -> None:
    assert not found("batch_size: 4", "batch_size: 4 bias_grad_multiplier: 0 replicas_to_aggregate: 1")


def test_the_default_decay_of_rms_prop_is_said() -> None:
    assert [each.feature for each in found("adam_optimizer", "rms_prop_optimizer")] == [
        "train_config.optimizer.rms_prop_optimizer.decay"
    ]
    assert not found("batch_size: 4", "batch_size: 4", ("optimizer", "rms_prop"))


def test_each_unread_field_is_one_of_the_api() -> None:
    known: set[str] = set()
    left = [TrainEvalPipelineConfig.DESCRIPTOR]
    while left:
        message = left.pop()
        names = {f"{message.name}.{field.name}" for field in message.fields}
        if not names <= known:
            left += [field.message_type for field in message.fields if field.message_type is not None]
        known |= names
    assert unread_fields() <= known


def test_a_schedule_that_assignments_scale_is_told_in_the_config_s_numbers() -> None:
    """As somebody finds them there; what the scaling alone makes wrong names the assignment."""
    longer = RATE.replace("warmup_steps: 4", "warmup_steps: 40")
    [own] = [each for each in found(RATE, longer) if each.severity == "error"]
    for scaling in (("num_steps", "1000"), ("epochs", "3")):
        [scaled] = [each for each in found(RATE, longer, scaling, ("learning_rate", "0.5")) if each.severity == "error"]
        assert scaled.feature == own.feature
        assert scaled.what == f"is 40, more than total_steps 20 (so in the config; {scaling[0]} scales them)"
    above = RATE.replace("warmup_learning_rate: 0.0002", "warmup_learning_rate: 0.01")
    [rate] = [each for each in found(RATE, above, ("learning_rate", "0.5")) if each.severity == "error"]
    assert rate.what == "is 0.01, above learning_rate_base 0.001 (so in the config; learning_rate scales them)"
    steps = " ".join(f"schedule {{ step: {step} learning_rate: 0.001 }}" for step in (5, 10, 15))
    manual = f"{MANUAL} {{ initial_learning_rate: 0.002 {steps} }}"
    assert not found(RATE, manual)
    [late] = found(RATE, manual, ("num_steps", "2"))
    assert late.what == "at num_steps=2 (2 steps): is 2, and training ends at num_steps 2: it is never reached"
