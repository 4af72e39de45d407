"""What the rules say of a model, against the API: it is asked to build each config, and the verdicts are compared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.config_mutations import mutations
from tests.configs.zoo import ZOO
from trial_entry.finding import Finding, errors_of
from trial_entry.pipeline_config.checks import MODEL, findings
from trial_entry.pipeline_config.extractors import EXTRACTORS
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules import ranges, schedules, training
from trial_entry.pipeline_config.text import config_text, parse_config, read_config

FAULTS = Path(__file__).parents[2] / "faults" / "configs"
PROGRAM = """
import json, sys
from pathlib import Path
from trial_entry.detection.runtime import autograph, forget_models, start_runtime
strategy = start_runtime(1, False)
from object_detection.builders import model_builder
from trial_entry.detection.model import build_model
from trial_entry.pipeline_config.text import parse_config
folder, said = Path(sys.argv[1]), {}
maps = {"ssd": "SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP", "faster_rcnn": "FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP"}
maps["center_net"] = "CENTER_NET_EXTRACTOR_FUNCTION_MAP"
names = {architecture: sorted(getattr(model_builder, name)) for architecture, name in maps.items()}
(folder / "extractors.json").write_text(json.dumps(names))
with autograph(False):
    for name, text in json.loads((folder / "cases.json").read_text()).items():
        try:
            rate = build_model(parse_config(text, name), strategy).learning_rate()
            said[name] = None if float(rate) == float(rate) else "the learning rate is no number"
        except Exception as error:
            said[name] = f"{type(error).__name__}: {error}"[:300]
        forget_models()
(folder / "said.json").write_text(json.dumps(said))
"""
RULES = (*MODEL, training.findings, schedules.findings)
FEW = (
    "drop model.ssd.matcher",
    "drop model.ssd.box_predictor",
    "drop model.ssd.num_classes",
    "drop model.ssd.image_resizer",
    "drop model.ssd.loss.localization_loss",
    "add model.ssd.feature_extractor.fpn",
    "add model.ssd.box_coder.square_box_coder",
    "add model.ssd.box_predictor.weight_shared_convolutional_box_predictor",
    "True model.ssd.explicit_background_class",
    "True model.ssd.freeze_batchnorm",
    "x model.ssd.feature_extractor.type",
    "drop model.ssd.anchor_generator.ssd_anchor_generator.num_layers",
    "0 model.ssd.anchor_generator.ssd_anchor_generator.num_layers",
    "shorter model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios",
    "drop model.ssd.post_processing",
    "drop train_config.optimizer.adam_optimizer.learning_rate",
    "drop train_config.optimizer.adam_optimizer.learning_rate.cosine_decay_learning_rate.warmup_steps",
)
# What the API builds, and what cannot be trained or found with it all the same.
BUILT = ("num_classes", "box_code_size", "max_box_predictions", "peak_max_pool_kernel_size")
# What only building finds: what it says names no field, or hangs on the weights of layers.
MISSED = (
    "keras_initializer_by_name",
    "experimental_model",
    "keypoint_weights_for_center",
    "add model.center_net.image_resizer.keep_aspect_ratio_resizer",
)


def verdicts(folder: Path, cases: Mapping[str, TrainEvalPipelineConfig]) -> dict[str, str | None]:
    """What the API says of each config; None where it builds."""
    (folder / "cases.json").write_text(json.dumps({name: config_text(each) for name, each in cases.items()}))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, timeout=7200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str | None] = json.loads((folder / "said.json").read_text())
    return said


def refusals(config: TrainEvalPipelineConfig) -> list[Finding]:
    """What the rules refuse in a config whose model is to be built."""
    return errors_of(findings(config, RULES))


def compare(said: Mapping[str, str | None], cases: Mapping[str, TrainEvalPipelineConfig]) -> Counter[str]:
    """How many agree; fails where one that builds is refused, or one that does not build passes, unexplained."""
    counted: Counter[str] = Counter()
    for name, error in said.items():
        refused, meaningless = refusals(cases[name]), errors_of(findings(cases[name], (ranges.findings,)))
        if error is None and refused:
            assert any(part in f"{name} {refused[0]}" for part in BUILT), (name, str(refused[0]))
        if error is not None and not refused and not meaningless:
            assert any(part in name for part in MISSED), (name, error)
        counted[f"{'builds' if error is None else 'fails'}, {'refused' if refused or meaningless else 'passed'}"] += 1
    return counted


def test_the_rules_say_of_an_ssd_what_the_api_says(tmp_path: Path) -> None:
    changed = dict(mutations(read_config(FAULTS / "small.config")))
    cases = {name: changed[name] for name in FEW}
    counted = compare(verdicts(tmp_path, cases), cases)
    assert counted["fails, refused"] >= 10
    assert counted["builds, passed"] >= 2
    known = json.loads((tmp_path / "extractors.json").read_text())
    assert known == {architecture: sorted(names) for architecture, names in EXTRACTORS.items()}


def resized(name: str, edge: int) -> TrainEvalPipelineConfig:
    """A config of the zoo at a size that is built in a second."""
    config = parse_config(ZOO[name], name)
    model = getattr(config.model, config.model.WhichOneof("model") or "")
    model.image_resizer.Clear()
    model.image_resizer.fixed_shape_resizer.height = model.image_resizer.fixed_shape_resizer.width = edge
    return config


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "edge"),
    [
        ("ssd_mobilenet_v2_320x320", 96),
        ("ssd_mobilenet_v2_fpnlite_320x320", 128),
        ("efficientdet_d0_512x512", 256),
        ("faster_rcnn_resnet50_v1_640x640", 96),
        ("faster_rcnn_resnet50_v1_fpn_640x640", 128),
        ("centernet_resnet101_v1_fpn_512x512", 128),
    ],
)
def test_every_change_of_a_config_of_the_zoo(name: str, edge: int, tmp_path: Path) -> None:
    """Some 200 models each: half an hour of one core for most."""
    cases = dict(mutations(resized(name, edge)))
    counted = compare(verdicts(tmp_path, cases), cases)
    print(name, dict(counted))
    assert counted["fails, refused"] > 20
