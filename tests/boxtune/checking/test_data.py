"""Each path of a config by itself: what can be seen is opened whatever else is missing, and of the rest why not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from boxtune.checking.check import CheckOptions, check
from boxtune.problems import Problem
from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import boxtune_here
from tests.records import LABEL, TEXT, features, label_map, write

CASES = Path(__file__).parents[2] / "faults" / "configs"
OWN, SET = CASES / "experiment-own-paths.yaml", CASES / "experiment.yaml"  # whose config has the paths; which sets them
HERE = ("/data/label_map.pbtxt", "/data/train.record", "/data/label_map.pbtxt", "/data/validation.record")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sound records of three classes."""
    folder = tmp_path / "data"
    folder.mkdir()
    label_map(folder / "label_map.pbtxt")
    write(folder / "train.record", [features(number) for number in range(12)])
    write(folder / "validation.record", [features(number) for number in range(20, 24)])
    return folder


def said(data: Path, paths: Sequence[str] = HERE, more: str = "", experiment: Path = OWN) -> dict[str, list[str]]:
    """What check says of small.config with these paths, by severity."""
    text = (CASES / "small.config").read_text()
    parts = text.split("_reader {\n")
    for number, (labels, records) in enumerate(zip(paths[::2], paths[1::2], strict=True), 1):
        name = ("train", "validation")[number - 1]
        part = parts[number].replace('label_map_path: "label_map.pbtxt"', f'label_map_path: "{labels}"', 1)
        parts[number] = part.replace(f'input_path: "{name}.record"', f'input_path: "{records}"', 1)
    config = data.parent / "pipeline.config"
    config.write_text("_reader {\n".join(parts).replace("train_config {", f"train_config {{ {more}"))
    found = check(experiment, CheckOptions(config=config, volumes={"data": data}))
    lines: dict[str, list[str]] = {"error": [], "warning": [], "note": []}
    for each in found:
        lines[each.severity].append(each.text)
    return lines


def test_paths_of_the_container_are_opened(data: Path) -> None:
    assert said(data) == {"error": [], "warning": [], "note": []}


@pytest.mark.parametrize("missing", range(4))
def test_one_that_is_elsewhere_keeps_check_from_no_other(data: Path, missing: int) -> None:
    image = features(3)
    image[LABEL], image[TEXT] = [9, 9], [b"lorry", b"lorry"]
    for file in ("train.record", "validation.record"):
        write(data / file, [features(number + len(file)) for number in range(3)] + [image])
    paths = list(HERE)
    paths[missing] = "/elsewhere/" + Path(HERE[missing]).name
    lines = said(data, paths)
    unprovided = [line for line in lines["warning"] if "/elsewhere/" in line]
    assert len(unprovided) == 1
    assert "no volume is mounted there; the pod has /data, /model" in unprovided[0]
    looked_at = {Path(line.partition(": ")[0]).name for line in lines["warning"] if "lorry" in line}
    expected = {0: {"validation.record"}, 1: {"validation.record"}, 2: {"train.record"}, 3: {"train.record"}}[missing]
    assert looked_at == expected


def test_a_checkpoint_elsewhere_hides_nothing(data: Path) -> None:
    label_map(data / "label_map.pbtxt", ["car", "bus"])
    lines = said(data, more='fine_tune_checkpoint: "/elsewhere/ckpt-0" fine_tune_checkpoint_version: V2')
    assert any("is 3, but the label map" in line for line in lines["error"])
    assert any("/elsewhere/ckpt-0" in line for line in lines["warning"])


def test_a_wrong_setting_hides_no_data(data: Path) -> None:
    (data / "train.record").write_bytes(b"not a record")
    lines = said(data, more='fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED" fine_tune_checkpoint_version: V2')
    assert any("PATH_TO_BE_CONFIGURED" in line for line in lines["error"])
    assert any("the file is a text, no TFRecord" in line for line in lines["error"])


def test_what_is_missing_in_a_volume_is_an_error_and_in_a_bucket_a_note(data: Path) -> None:
    paths = ["gs://bucket/label_map.pbtxt", "/data/trian.record", "/data/labels.pbtxt", "/data/val-*.record"]
    lines = said(data, paths)
    assert [line.rpartition(": ")[2] for line in lines["error"]] == [
        "no such file; the nearest there is train.record",
        "no such file; the nearest there is label_map.pbtxt",
        "no file matches this pattern; the nearest there is validation.record",
    ]
    assert ["gs://bucket/label_map.pbtxt: in a bucket" in line for line in lines["note"]] == [True]


def test_a_relative_path_is_taken_from_the_config_in_the_container(data: Path) -> None:
    lines = said(data, ("/data/label_map.pbtxt", "train.record", "/data/label_map.pbtxt", "../data/validation.record"))
    assert not lines["error"]
    assert ["train.record: is relative" in line and "/config/train.record" in line for line in lines["warning"]] == [
        True
    ]
    shutil.copy(data / "train.record", data / "validation.record")
    lines = said(
        data, ("/data/label_map.pbtxt", "/data/train.record", "/data/label_map.pbtxt", "../data/validation.record")
    )
    assert any("are in train_input_reader too" in line for line in lines["warning"])


def test_a_path_of_the_config_map_that_it_has_not_is_an_error(tmp_path: Path) -> None:
    text = (QUICK_START.parent / "quick-start.yaml").read_text()
    path = tmp_path / "experiment.yaml"
    path.write_text(text.replace("input_path=/data/train.record", "input_path=train.record"))
    errors = [each.text for each in check(path, CheckOptions()) if each.severity == "error"]
    assert ["the ConfigMap has no such file" in each for each in errors] == [True]


def set_to(tmp_path: Path, old: str, new: str) -> list[Problem]:
    """What check says of the Experiment that sets its paths, with another text in it, and no data."""
    text = SET.read_text()
    assert old in text
    text = text.replace(old, new)
    file = tmp_path / "experiment.yaml"
    file.write_text(text)
    (tmp_path / "data").mkdir(exist_ok=True)
    return check(file, CheckOptions(config=CASES / "small.config", volumes={"data": tmp_path / "data"}))


def test_a_path_is_quoted_as_the_experiment_has_it(tmp_path: Path) -> None:
    found = [each.text for each in set_to(tmp_path, "=/data/train.record", "=/data/train@7")]
    assert any("'/data/train@7'" in text and "/data/train-?????-of-00007" in text for text in found), found
    found = [each.text for each in set_to(tmp_path, "=/data/label_map.pbtxt", "=C:/data/label_map.pbtxt")]
    assert any("'C:/data/label_map.pbtxt'" in text and "such as /data/label_map.pbtxt" in text for text in found), found


def test_one_mistake_is_one_line_and_hides_nothing(tmp_path: Path) -> None:
    found = set_to(tmp_path, "--set=learning_rate=", "--set=learn_rate=")
    assert len([each for each in found if "learn_rate" in each.text]) == 1
    assert any("label_map.pbtxt: no such file" in each.text for each in found)


def test_what_waits_is_said_last(tmp_path: Path) -> None:
    found = set_to(tmp_path, "maxTrialCount: 2", "maxTrialCount: -2")
    assert found[-1].text.startswith("the other checks wait")
    assert len(found) > 1


@pytest.mark.parametrize(
    ("old", "new", "severity", "says"),
    [
        ("/config/pipeline.config", "/config/pipline.config", "error", "the nearest there is pipeline.config"),
        ("/config/pipeline.config", "/elsewhere/pipeline.config", "warning", "the pod has /config, /data, /model"),
        (
            "configMap:\n                  name: pipeline",
            "configMap:\n                  name: pipelin",
            "error",
            "the nearest there is",
        ),
    ],
)
def test_a_config_that_no_volume_of_the_pod_has(tmp_path: Path, old: str, new: str, severity: str, says: str) -> None:
    text = (EXPERIMENTS / "random-search.yaml").read_text()
    assert old in text
    file = tmp_path / "experiment.yaml"
    file.write_text(text.replace(old, new))
    found = check(file, CheckOptions())
    assert any(each.severity == severity and says in each.text for each in found), [str(each) for each in found]


def test_what_the_config_has_wrong_names_it_and_its_field(data: Path) -> None:
    said(data, more='fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED/ckpt-1" fine_tune_checkpoint_version: V2')
    config = data.parent / "pipeline.config"
    found = check(OWN, CheckOptions(config=config, volumes={"data": data}))
    wrong = next(each for each in found if each.path == "train_config.fine_tune_checkpoint")
    line = next(n for n, each in enumerate(config.read_text().splitlines(), 1) if "PATH_TO" in each)
    assert str(wrong).startswith(f"error: {config}:{line}: train_config.fine_tune_checkpoint: 'PATH_TO")
    told = boxtune_here("check", OWN, "--config", config, "--volume", f"data={data}", "--json").out
    [listed] = [each for each in json.loads(told) if each["path"] == wrong.path and each["severity"] == "error"]
    assert (listed["config"], listed["config_line"]) == (str(config), line)
    assert "/data/ssd/checkpoint/ckpt-0" in wrong.right


def test_json_of_what_cannot_be_read_is_a_list_of_it(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("kind: Experiment", encoding="utf-16")
    done = boxtune_here("check", file, "--json")
    assert done.code == 2
    assert "save it as UTF-8" in json.loads(done.out)[0]["what"]


def test_a_type_that_nothing_takes_is_said_without_a_checkpoint_too(data: Path) -> None:
    for kind in ("fine_tune", "detecton", "Detection"):  # without a checkpoint it is read by nobody
        told = said(data, more=f'fine_tune_checkpoint_type: "{kind}"')
        assert any(f'there is no "{kind}"' in line and '"detection"' in line for line in told["warning"])
        assert not told["error"]


def test_an_alias_with_nothing_to_try_says_so(data: Path) -> None:
    said(data, more='fine_tune_checkpoint: "/data/ckpt-0" fine_tune_checkpoint_version: V2')
    done = boxtune_here("parameters", data.parent / "pipeline.config", "feature_extractor", "--yaml")
    assert "feature_extractor: there is nothing to try" in done.err
