"""The short names, on SSD and Faster R-CNN, with every learning-rate schedule."""

from __future__ import annotations

import pytest

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases import ALIASES, current_value, field_of, find_alias
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import parse_config

COSINE = """cosine_decay_learning_rate { learning_rate_base: 0.04 total_steps: 1000
  warmup_learning_rate: 0.01 warmup_steps: 100 hold_base_rate_steps: 50 }"""
MANUAL = """manual_step_learning_rate { initial_learning_rate: 0.04
  schedule { step: 500 learning_rate: 0.004 } schedule { step: 800 learning_rate: 0.0004 } }"""
EXPONENTIAL = """exponential_decay_learning_rate { initial_learning_rate: 0.04 decay_steps: 200 decay_factor: 0.9
  burnin_learning_rate: 0.01 burnin_steps: 100 min_learning_rate: 0.001 }"""
CONSTANT = "constant_learning_rate { learning_rate: 0.04 }"


def config_with(schedule: str, optimizer: str = "momentum_optimizer", model: str = "ssd") -> TrainEvalPipelineConfig:
    post = "post_processing" if model == "ssd" else "second_stage_post_processing"
    return parse_config(
        f"""model {{ {model} {{ num_classes: 2 {post} {{ batch_non_max_suppression {{ iou_threshold: 0.6 }} }} }} }}
        train_config {{ batch_size: 8 num_steps: 1000
          optimizer {{ {optimizer} {{ learning_rate {{ {schedule} }} }} }} }}""",
        "test",
    )


def assign(config: TrainEvalPipelineConfig, name: str, value: str, examples: int = 100) -> None:
    ALIASES[name].assign(config, value, Surroundings(lambda _: examples))


def schedule_of(config: TrainEvalPipelineConfig) -> object:
    optimizer = config.train_config.optimizer
    rate = getattr(optimizer, optimizer.WhichOneof("optimizer")).learning_rate
    return getattr(rate, rate.WhichOneof("learning_rate"))


@pytest.mark.parametrize("optimizer", ["momentum_optimizer", "rms_prop_optimizer", "adam_optimizer"])
@pytest.mark.parametrize("schedule", [COSINE, MANUAL, EXPONENTIAL, CONSTANT])
def test_learning_rate_finds_the_base_rate_of_every_schedule(schedule: str, optimizer: str) -> None:
    config = config_with(schedule, optimizer)
    assert current_value(config, "learning_rate") == "0.04"
    assign(config, "learning_rate", "0.02")
    assert current_value(config, "learning_rate") == "0.02"
    assert field_of(config, "learning_rate").startswith(f"train_config.optimizer.{optimizer}.learning_rate.")


def test_learning_rate_scales_the_warm_up_along() -> None:
    config = config_with(COSINE)
    assign(config, "learning_rate", "0.4")
    assert schedule_of(config).warmup_learning_rate == pytest.approx(0.1)  # type: ignore[attr-defined]
    config = config_with(MANUAL)
    assign(config, "learning_rate", "0.4")
    assert [step.learning_rate for step in schedule_of(config).schedule] == pytest.approx([0.04, 0.004])  # type: ignore[attr-defined]
    config = config_with(EXPONENTIAL)
    assign(config, "learning_rate", "0.4")
    schedule = schedule_of(config)
    assert schedule.burnin_learning_rate == pytest.approx(0.1)  # type: ignore[attr-defined]
    assert schedule.min_learning_rate == pytest.approx(0.01)  # type: ignore[attr-defined]


def test_a_warm_up_that_stands_as_the_default_scales_too() -> None:
    """The API refuses a base rate below the warm-up's; its default is 0.0002."""
    config = config_with("cosine_decay_learning_rate { learning_rate_base: 0.04 }")
    assign(config, "learning_rate", "0.00004")
    assert schedule_of(config).warmup_learning_rate < 0.00004  # type: ignore[attr-defined]


def test_num_steps_moves_schedule_and_warm_up_along() -> None:
    config = config_with(COSINE)
    assign(config, "num_steps", "200")
    schedule = schedule_of(config)
    assert config.train_config.num_steps == 200
    assert (schedule.total_steps, schedule.warmup_steps, schedule.hold_base_rate_steps) == (200, 20, 10)  # type: ignore[attr-defined]
    config = config_with(MANUAL)
    assign(config, "num_steps", "100")
    assert [step.step for step in schedule_of(config).schedule] == [50, 80]  # type: ignore[attr-defined]
    config = config_with(EXPONENTIAL)
    assign(config, "num_steps", "100")
    assert (schedule_of(config).decay_steps, schedule_of(config).burnin_steps) == (20, 10)  # type: ignore[attr-defined]


@pytest.mark.parametrize("steps", ["1", "2", "3", "7"])
def test_a_short_cosine_leaves_a_step_after_warm_up_and_hold(steps: str) -> None:
    config = config_with(COSINE)
    assign(config, "num_steps", steps)
    schedule = schedule_of(config)
    assert schedule.total_steps - schedule.warmup_steps - schedule.hold_base_rate_steps >= 1  # type: ignore[attr-defined]


def test_epochs_count_examples_and_batch_size() -> None:
    config = config_with(COSINE)
    assign(config, "epochs", "3", examples=100)
    assert config.train_config.num_steps == 38  # 300 images in batches of 8, the last one begun
    assert schedule_of(config).total_steps == 38  # type: ignore[attr-defined]
    assign(config, "epochs", "0.5", examples=100)
    assert config.train_config.num_steps == 7


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "some"])
def test_epochs_must_be_a_positive_number(value: str) -> None:
    with pytest.raises(AssignmentError, match="epochs"):
        assign(config_with(COSINE), "epochs", value)


def test_nms_iou_threshold_is_the_final_suppression() -> None:
    ssd, faster_rcnn = config_with(COSINE), config_with(COSINE, model="faster_rcnn")
    assign(ssd, "nms_iou_threshold", "0.45")
    assign(faster_rcnn, "nms_iou_threshold", "0.45")
    nms = faster_rcnn.model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression
    assert ssd.model.ssd.post_processing.batch_non_max_suppression.iou_threshold == pytest.approx(0.45)
    assert nms.iou_threshold == pytest.approx(0.45)
    assert faster_rcnn.model.faster_rcnn.first_stage_nms_iou_threshold == pytest.approx(0.7)


def test_center_net_has_no_nms() -> None:
    config = parse_config("model { center_net { num_classes: 2 } }", "test")
    with pytest.raises(AssignmentError, match="takes peaks instead of suppressing boxes"):
        assign(config, "nms_iou_threshold", "0.5")


def test_batch_size_leaves_the_evaluation_alone() -> None:
    config = config_with(COSINE)
    assign(config, "batch_size", "64")
    assert (config.train_config.batch_size, config.eval_config.batch_size) == (64, 1)


def test_fine_tune_checkpoint_is_a_v2_detection_checkpoint() -> None:
    config = config_with(COSINE)
    assert current_value(config, "fine_tune_checkpoint") is None
    assign(config, "fine_tune_checkpoint", "models/ckpt-0")
    train = config.train_config
    assert (train.fine_tune_checkpoint_type, train.fine_tune_checkpoint_version) == ("detection", 2)
    assign(config, "fine_tune_checkpoint", "none")
    assert not train.fine_tune_checkpoint


@pytest.mark.parametrize("value", ["-0.1", "0", "nan", "fast"])
def test_a_learning_rate_is_a_positive_number(value: str) -> None:
    with pytest.raises(AssignmentError, match="learning_rate"):
        assign(config_with(COSINE), "learning_rate", value)


def test_a_name_that_is_none_gets_the_nearest() -> None:
    with pytest.raises(AssignmentError, match='the nearest is "learning_rate"'):
        find_alias("learning_rte")


def test_without_a_schedule_the_learning_rate_has_no_field() -> None:
    config = parse_config("train_config { optimizer { adam_optimizer { } } }", "test")
    with pytest.raises(AssignmentError, match="no learning_rate schedule"):
        field_of(config, "learning_rate")
    with pytest.raises(AssignmentError, match=r"has no train_config\.optimizer"):
        field_of(parse_config("", "test"), "learning_rate")


def test_optimizer_takes_schedule_and_momentum_along() -> None:
    config = config_with(COSINE)
    config.train_config.optimizer.momentum_optimizer.momentum_optimizer_value = 0.77
    assign(config, "optimizer", "rms_prop")
    assert config.train_config.optimizer.rms_prop_optimizer.momentum_optimizer_value == pytest.approx(0.77)
    assign(config, "optimizer", "adam_optimizer")
    assert current_value(config, "optimizer") == "adam"
    assert current_value(config, "learning_rate") == "0.04"
    assert schedule_of(config).warmup_steps == 100  # type: ignore[attr-defined]
    with pytest.raises(AssignmentError, match="adam_optimizer, whose momentum is fixed; it has epsilon"):
        assign(config, "momentum", "0.9")
    with pytest.raises(AssignmentError, match='"sgd" is none of momentum, adam, rms_prop'):
        assign(config, "optimizer", "sgd")


def test_warm_up_keeps_its_share_whatever_sets_the_length() -> None:
    config = config_with(COSINE)
    assert current_value(config, "warmup_fraction") == "0.1"
    assign(config, "warmup_fraction", "0.25")
    assign(config, "num_steps", "200")
    assert schedule_of(config).warmup_steps == 50  # type: ignore[attr-defined]
    exponential = config_with(EXPONENTIAL)
    assign(exponential, "warmup_fraction", "0.2")
    assert schedule_of(exponential).burnin_steps == 200  # type: ignore[attr-defined]
    with pytest.raises(AssignmentError, match="constant_learning_rate has no warm-up"):
        assign(config_with(CONSTANT), "warmup_fraction", "0.1")
    with pytest.raises(AssignmentError, match="leaves none after warm-up and hold"):
        assign(config_with(COSINE), "warmup_fraction", "0.96")


def test_an_augmentation_is_switched_on_and_off() -> None:
    config = config_with(COSINE)
    step = "augmentation.random_adjust_hue"
    for value, wanted in (("off", 0), ("on", 1), ("true", 1), ("off", 0)):
        find_alias(step).assign(config, value, Surroundings())  # type: ignore[union-attr]
        assert len(config.train_config.data_augmentation_options) == wanted
        assert current_value(config, step) == ("on" if wanted else "off")
    for name, says in (
        ("random_hue", 'no such augmentation; the nearest is "random_adjust_hue"'),
        ("autoaugment_image", "needs tf.contrib"),
    ):
        with pytest.raises(AssignmentError, match=says):
            find_alias(f"augmentation.{name}")
    with pytest.raises(AssignmentError, match='"maybe" is neither on nor off'):
        find_alias(step).assign(config, "maybe", Surroundings())  # type: ignore[union-attr]


def test_anchor_scales_are_one_a_layer() -> None:
    config = parse_config("model { ssd { anchor_generator { ssd_anchor_generator { num_layers: 3 } } } }", "test")
    assign(config, "anchor_scales", "0.1,0.4,0.8")
    assert current_value(config, "anchor_scales") == "0.1,0.4,0.8"
    with pytest.raises(AssignmentError, match="2 scales; 3 layers need 3"):
        assign(config, "anchor_scales", "0.1,0.4")


def test_image_size_keeps_the_proportion_and_moves_the_square_crop_along() -> None:
    config = parse_config(
        """model { faster_rcnn { image_resizer {
          keep_aspect_ratio_resizer { min_dimension: 800 max_dimension: 1333 } } } }
        train_config { data_augmentation_options { random_scale_crop_and_pad_to_square { output_size: 1333 } } }""",
        "test",
    )
    assign(config, "image_size", "1000")
    resizer = config.model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer
    assert (resizer.min_dimension, resizer.max_dimension) == (600, 1000)
    crop = config.train_config.data_augmentation_options[0].random_scale_crop_and_pad_to_square
    assert crop.output_size == 1000
    without = parse_config("model { ssd { image_resizer { identity_resizer { } } } }", "test")
    with pytest.raises(AssignmentError, match="identity_resizer; fixed_shape_resizer and keep_aspect"):
        assign(without, "image_size", "300")


def test_max_detections_also_bounds_those_of_a_class() -> None:
    config = parse_config(
        """model { faster_rcnn { second_stage_post_processing { batch_non_max_suppression {
        max_detections_per_class: 100 max_total_detections: 300 } } } }""",
        "test",
    )
    nms = config.model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression
    for value, per_class in (("400", 100), ("50", 50), ("200", 200)):
        assign(config, "max_detections", value)
        assert (nms.max_total_detections, nms.max_detections_per_class) == (int(value), per_class)
