"""Exports of real detectors: every file runs where nothing of Boxtune is, and is as good as its checkpoint."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.detectors import export, images_of
from tests.trials import Ended, run
from trial_entry.contract.exports import FORMATS, read_export, read_metadata

# What begins every program that must do without us: the packages of Boxtune and of the API cannot be imported.
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCK:
            raise ImportError(name + " is not to be had here")
BLOCK = {"boxtune", "trial_entry", "object_detection", "official", "tf_keras", "tf_slim"} | set(sys.argv[1].split(","))
sys.meta_path.insert(0, Blocked())
"""


def outside(program: str, *arguments: str | Path, block: str = "") -> Any:
    """What a program prints as JSON that runs without Boxtune, and without the modules in `block`."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TF_USE_LEGACY_KERAS")
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", BLOCKED + program, block, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def pictures(ssd: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Images of the validation: two as they are, one of another size."""
    found = images_of(ssd, tmp_path_factory.mktemp("pictures"))[:3]
    with Image.open(found[2]) as image:
        image.resize((200, 90)).save(found[2])
    return found


def test_every_format_is_as_good_as_the_checkpoint(exported: tuple[Path, Ended], ssd: Path) -> None:
    output, ended = exported
    assert ended.code == 0, ended.err
    record = read_export(output)
    assert [each.format for each in record.formats] == list(FORMATS)
    metrics = {name: value for _, name, value in ended.metrics}
    rows = json.loads((ssd / "metrics.json").read_text())
    assert metrics["mAP"] == record.metrics["mAP"] == pytest.approx(rows[-1]["metrics"]["mAP"], abs=1e-5)
    assert metrics["mAP"] > 0.05
    assert (record.images, record.step, record.moving_averages) == (30, 150, False)
    for each in record.formats:
        assert each.verdict == "good", each
        allowed = 0.05 if each.format == "tflite_int8" else 0.005
        assert each.metrics["mAP"] >= record.metrics["mAP"] - allowed
        assert each.drops["mAP"] == pytest.approx(record.metrics["mAP"] - each.metrics["mAP"], abs=1e-6)
        assert sum(name.startswith("mAP_class_") for name in each.drops) == 5
    sizes = {each.format: each.bytes or 0 for each in record.formats}
    assert sizes["tflite"] > 1.7 * sizes["tflite_fp16"] > 1.3 * 1.7 * sizes["tflite_int8"]
    assert (output / "model.onnx").stat().st_size == sizes["onnx"]


def test_metadata_says_how_each_file_is_run(exported: tuple[Path, Ended]) -> None:
    output, _ = exported
    metadata = read_metadata(output)
    assert (metadata.architecture, metadata.feature_extractor) == ("ssd", "ssd_mobilenet_v2_keras")
    assert metadata.labels == {str(number): str(number - 1) for number in range(1, 6)}
    assert (metadata.resizer.height, metadata.resizer.width, metadata.max_detections) == (128, 128, 20)
    assert {each.format for each in metadata.inputs} == set(FORMATS)
    int8 = next(each for each in metadata.inputs if each.format == "tflite_int8")
    assert (int8.dtype, int8.scale, int8.zero_point, int8.shape) == ("uint8", 1.0, 0, (1, 128, 128, 3))
    assert "id: 5" in (output / "label_map.pbtxt").read_text()


SAVED_MODEL = """
import json, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[2])
files = [open(each, "rb").read() for each in sys.argv[3:]]
images = [tf.io.decode_image(each, channels=3, expand_animations=False) for each in files]
from_bytes = loaded.signatures["serving_bytes"](image_bytes=tf.constant(files))
same = tf.stack(images[:2])
from_images = loaded.signatures["serving_default"](input_tensor=same)
alone = [loaded.signatures["serving_default"](input_tensor=each[tf.newaxis]) for each in images]
print(json.dumps({
    "bytes": {name: each.numpy().tolist() for name, each in from_bytes.items()},
    "images": {name: each.numpy().tolist() for name, each in from_images.items()},
    "alone": [{name: each[0].numpy().tolist() for name, each in one.items()} for one in alone],
}))
"""


@pytest.fixture(scope="module")
def saved(exported: tuple[Path, Ended], pictures: list[Path]) -> Any:
    """What the SavedModel finds in the images."""
    return outside(SAVED_MODEL, exported[0] / "saved_model", *pictures)


def test_the_saved_model_detects_where_tensorflow_alone_is(saved: Any) -> None:
    found = saved
    for number, one in enumerate(found["alone"]):
        assert set(one) == {"detection_boxes", "detection_classes", "detection_scores", "num_detections"}
        for name, value in one.items():
            assert found["bytes"][name][number] == pytest.approx(np.array(value), abs=1e-5), name
            if number < 2:
                assert found["images"][name][number] == pytest.approx(np.array(value), abs=1e-5), name
    assert all(1 <= label <= 5 for one in found["alone"] for label in one["detection_classes"])
    assert max(max(one["detection_scores"]) for one in found["alone"]) > 0.3


SERVING_JSON = """
import base64, json, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[2])
signature = loaded.signatures["serving_bytes"]
[name] = signature.structured_input_signature[1]
assert name.endswith("_bytes"), name  # TensorFlow Serving's rule for {"b64": ...}
instances = json.loads(open(sys.argv[3]).read())["instances"]
found = signature(**{name: tf.constant([base64.b64decode(each["b64"]) for each in instances])})
print(json.dumps({"predictions": [
    {name: each[row].numpy().tolist() for name, each in found.items()} for row in range(len(instances))
]}))
"""


def test_the_json_of_tensorflow_serving_is_what_the_signature_takes(
    exported: tuple[Path, Ended], pictures: list[Path], tmp_path: Path
) -> None:
    output, _ = exported
    request = {
        "signature_name": "serving_bytes",
        "instances": [{"b64": base64.b64encode(each.read_bytes()).decode()} for each in pictures],
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    found = outside(SERVING_JSON, output / "saved_model", tmp_path / "request.json")
    assert [set(each) for each in found["predictions"]] == [
        {"detection_boxes", "detection_classes", "detection_scores", "num_detections"}
    ] * len(pictures)


TFLITE = """
import json, numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[2])
runner = interpreter.get_signature_runner()
[(name, given)] = runner.get_input_details().items()
_, height, width, _ = given["shape"]
found = []
for file in sys.argv[3:]:
    image = np.asarray(Image.open(file).convert("RGB").resize((width, height), Image.Resampling.BILINEAR))
    outputs = runner(**{name: image[np.newaxis].astype(given["dtype"])})
    found.append({name: each.tolist() for name, each in outputs.items()})
assert "tensorflow" not in sys.modules
print(json.dumps(found))
"""


@pytest.mark.parametrize("format", ["tflite", "tflite_fp16", "tflite_int8"])
def test_tflite_detects_where_its_interpreter_alone_is(
    exported: tuple[Path, Ended], pictures: list[Path], saved: Any, format: str
) -> None:
    output, _ = exported
    found = outside(TFLITE, output / FORMATS[format], *pictures, block="tensorflow")
    near = {"tflite": 1e-4, "tflite_fp16": 0.01, "tflite_int8": 0.15}[format]
    for one, whole in zip(found[:2], saved["alone"][:2], strict=True):  # the third is resized otherwise by Pillow
        assert one["detection_scores"][0] == pytest.approx(whole["detection_scores"], abs=near)
        if format != "tflite_int8":  # whose scores are in steps, so that the order is another
            assert one["detection_boxes"][0][0] == pytest.approx(whole["detection_boxes"][0], abs=near)
            assert one["detection_classes"][0][0] + 1 == whole["detection_classes"][0]


ONNX = """
import json, numpy as np, onnxruntime
from PIL import Image
session = onnxruntime.InferenceSession(sys.argv[2])
images = np.stack([np.asarray(Image.open(each).convert("RGB")) for each in sys.argv[3:]])
names = [each.name for each in session.get_outputs()]
found = session.run(names, {"input_tensor": images})
print(json.dumps({name: each.tolist() for name, each in zip(names, found)}))
"""


def test_onnx_detects_a_batch_where_onnxruntime_alone_is(
    exported: tuple[Path, Ended], pictures: list[Path], saved: Any
) -> None:
    output, _ = exported
    found = outside(ONNX, output / "model.onnx", *pictures[:2], block="tensorflow")
    for name, value in saved["images"].items():
        assert np.array(found[name]) == pytest.approx(np.array(value), abs=1e-4), name


UNEVEN = """
import sys
from pathlib import Path
from trial_entry.detection.runtime import autograph, one_replica, start_runtime
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.detection.checkpoints import existing_checkpoint, restore_for_evaluation
from trial_entry.detection.model import build_model
folder = Path(sys.argv[1])
start_runtime(0, False)
import tensorflow as tf
with autograph(False):
    built = build_model(BaseConfig.read(folder / "pipeline.config").measured(None), one_replica(), optimizer=False)
restore_for_evaluation(built, existing_checkpoint(None, folder))
by_name = {each.name: each for each in built.model._feature_extractor.variables}
for end in ("gamma", "beta"):
    [scale] = [each for name, each in by_name.items() if name.endswith(f"expanded_conv_project_BN/{end}:0")]
    scale.assign(tf.concat([scale[:1] * 1024, scale[1:]], 0))
[kernel] = [each for name, each in by_name.items() if name.endswith("block_1_expand/kernel:0")]
kernel.assign(tf.concat([kernel[:, :, :1] / 1024, kernel[:, :, 1:]], 2))
tf.train.Checkpoint(model=built.model, step=built.global_step).save(str(folder / "uneven"))
"""


@pytest.mark.e2e
def test_what_loses_too_much_is_not_left_behind(ssd: Path, tmp_path: Path) -> None:
    """One channel a thousand times the others, and the next layer's weights as much smaller: to floating point the same
    model, and to int8, which has one scale for all channels, one that has lost the others.
    """
    model, output = copied(ssd, tmp_path), tmp_path / "export"
    done = subprocess.run([sys.executable, "-c", UNEVEN, model], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    formats = ("--format=tflite", "--format=tflite_int8")
    ended = export(model, output, f"--checkpoint={model / 'uneven-1'}", *formats, "--compare=8")
    assert ended.code == 2
    assert f"tflite_int8 is not in {output}: mAP " in ended.reason
    assert "less, 0.05 is allowed; more images that represent" in ended.reason
    assert (output / "model.tflite").is_file()
    assert not (output / "model_int8.tflite").exists()
    verdicts = {each.format: each.verdict for each in read_export(output).formats}
    assert verdicts == {"tflite": "good", "tflite_int8": "failed"}
    assert read_export(output).images == 8
    assert sorted(each.name for each in tmp_path.iterdir()) == ["export", "model"]


def copied(model_dir: Path, folder: Path) -> Path:
    return Path(shutil.copytree(model_dir, folder / "model"))


def test_without_validation_records_it_must_be_said(ssd: Path, tmp_path: Path) -> None:
    model = copied(ssd, tmp_path)
    config = model / "pipeline.config"
    config.write_text(config.read_text().replace("/validation.record", "/elsewhere/validation.record"))
    ended = export(model, tmp_path / "export", "--format=saved_model")
    assert ended.code == 2
    assert ended.reason.endswith("no such file; --no_compare exports without validation records")
    assert not (tmp_path / "export").exists()
    ended = export(model, tmp_path / "export", "--format=saved_model", "--no_compare")
    assert (ended.code, ended.out) == (0, "")
    [made] = read_export(tmp_path / "export").formats
    assert (made.verdict, dict(made.metrics)) == ("not compared", {})
    assert read_export(tmp_path / "export").images == 0


def edited(changes: Mapping[str, str]) -> Any:
    def edit(model: Path) -> None:
        config = model / "pipeline.config"
        text = config.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        config.write_text(text)

    return edit


def no_checkpoint(model: Path) -> None:
    shutil.rmtree(model / "best")
    (model / "checkpoint").unlink()


@pytest.mark.parametrize(
    ("damage", "arguments", "says"),
    [
        (edited({"depth_multiplier: 0.35": "depth_multiplier: 0.5"}), [], "not a checkpoint of this config's model"),
        (no_checkpoint, [], "no checkpoint here"),
        (edited({"/train.record": "/gone/train.record"}), ["--format=tflite_int8"], "train.record: no such file"),
        (edited({"/label_map.pbtxt": "/gone/map.pbtxt"}), ["--no_compare"], "map.pbtxt: no such file"),
        (
            edited({"iou_threshold": "soft_nms_sigma: 0.5 iou_threshold"}),
            ["--format=tflite"],
            "tflite: model.ssd.post_processing.batch_non_max_suppression.soft_nms_sigma",
        ),
        (lambda model: None, ["--checkpoint=nowhere/ckpt-1"], "no checkpoint has this prefix"),
    ],
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(
    ssd: Path,
    tmp_path: Path,
    damage: Any,
    arguments: list[str],
    says: str,
) -> None:
    model = copied(ssd, tmp_path)
    damage(model)
    ended = export(model, tmp_path / "export", *(arguments or ["--format=saved_model"]))
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.reason
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


def test_another_folder_is_never_replaced(ssd: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    ended = export(ssd, tmp_path, "--format=saved_model")
    assert ended.code == 2
    assert ended.reason.endswith("is there already and has no export.json; name a new folder")
    assert (tmp_path / "precious").read_text() == "data"


SORTED_SCORES = """
import json, tensorflow as tf
files = tf.constant([open(each, "rb").read() for each in sys.argv[4:]])
found = [tf.saved_model.load(each).signatures["serving_bytes"](image_bytes=files) for each in sys.argv[2:4]]
print(json.dumps([sorted(each["detection_scores"].numpy().ravel().tolist()) for each in found]))
"""


@pytest.mark.e2e
def test_averaged_weights_are_exported_where_they_are_measured(ssd: Path, tmp_path: Path) -> None:
    """What the evaluation of the averages finds, the SavedModel finds, and the plain weights find other things."""
    config, model = ssd.parent / "pipeline.config", tmp_path / "model"
    averages = "--set=eval_config.use_moving_averages=true"
    assignments = ("--set=num_steps=40", "--set=train_config.optimizer.use_moving_average=true", averages)
    ended = run("train", f"--pipeline_config_path={config}", f"--model_dir={model}", *assignments)
    assert ended.code == 0, ended.err
    seen = tmp_path / "seen.json"
    arguments = (f"--model_dir={model}", f"--detections={seen}")
    assert run("evaluate", f"--pipeline_config_path={model / 'pipeline.config'}", *arguments).code == 0
    assert export(model, tmp_path / "export", "--format=saved_model", "--compare=2").code == 0
    assert read_export(tmp_path / "export").moving_averages
    edited({"use_moving_averages: true": "use_moving_averages: false"})(model)
    assert export(model, tmp_path / "plain", "--format=saved_model", "--compare=2").code == 0
    (tmp_path / "images").mkdir()
    folders = (tmp_path / "export" / "saved_model", tmp_path / "plain" / "saved_model")
    scores = outside(SORTED_SCORES, *folders, *images_of(ssd, tmp_path / "images", as_they_are=True))
    averaged, plain = np.array(scores)
    evaluated = np.sort([each["score"] for each in json.loads(seen.read_text())["detections"]])
    # Each score by itself: two means may lie close to each other by chance.
    assert abs(averaged - evaluated).max() < 0.1 * abs(plain - averaged).max()


@pytest.mark.e2e
def test_another_architecture(center_net: Path, tmp_path: Path) -> None:
    """A CenterNet: all of it converts; what int8 makes of its peaks is found out."""
    output = tmp_path / "export"
    ended = export(center_net, output)
    verdicts = {each.format: each.verdict for each in read_export(output).formats}
    assert verdicts | {"tflite_int8": "good"} == dict.fromkeys(FORMATS, "good")
    assert (ended.code == 0) == (verdicts["tflite_int8"] == "good")
    assert read_export(output).metrics["mAP"] > 0.1
