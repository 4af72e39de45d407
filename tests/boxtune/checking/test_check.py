"""`boxtune check` on a corpus: one mistake a file, what we say of it, and at which line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml

from boxtune.checking.check import CheckOptions, check
from boxtune.problems import Problem
from tests import messages
from tests.conftest import EXPERIMENTS
from tests.experiments import boxtune
from tests.records import BBOX, ENCODED, TEXT, features, write
from trial_entry.pipeline_config.inputs import resolve_paths
from trial_entry.pipeline_config.text import read_config
from trial_entry.records.dataset import look

CORPUS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "corpus.yaml").read_text())
BASE = EXPERIMENTS / "random-search.yaml"
NAMES = [entry["name"] for entry in CORPUS]


def written(folder: Path, entry: dict[str, Any]) -> Path:
    """The corpus's file for `entry`."""
    text = BASE.read_text()
    for old, new in entry.get("text", {}).items():
        assert old in text, f"{entry['name']}: {old!r} is not in {BASE.name}"
        text = text.replace(old, new)
    if entry.get("patch"):
        config_map, experiment = yaml.safe_load_all(text)
        experiment = jsonpatch.apply_patch(experiment, entry["patch"])
        text = yaml.safe_dump_all([config_map, experiment], sort_keys=False)
    path = folder / f"{entry['name']}.yaml"
    path.write_text(text)
    return path


def found(path: Path, entry: dict[str, Any]) -> list[Problem]:
    return check(path, CheckOptions(katib="--katib" in entry.get("options", ())))


def test_the_corpus_is_large_and_its_names_are_its_own() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 60
    assert {entry["webhook"] for entry in CORPUS} == {"refused", "accepted"}


@pytest.mark.parametrize("entry", CORPUS, ids=NAMES)
def test_the_verdict(entry: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, entry)
    findings = found(path, entry)
    expected = [(kind, entry[kind]) for kind in ("error", "warning", "note") if kind in entry]
    for severity, says in expected:
        matching = [each for each in findings if each.severity == severity and says in str(each)]
        assert matching, [str(each) for each in findings]
        if "at" in entry:
            lines = path.read_text().splitlines()
            assert entry["at"] in " ".join(lines[matching[0].line - 1 : matching[0].line + 3]), matching[0].line
    assert "unsaid" not in entry or not any(entry["unsaid"] in str(each) for each in findings)
    errors = [each for each in findings if each.severity == "error"]
    assert bool(errors) == ("error" in entry), [str(each) for each in errors]
    if entry["webhook"] == "refused":
        assert any("the webhook refuses" in each.on_katib for each in errors)
    if not expected:
        assert not [each for each in findings if each.severity == "warning"]
    told = "\n".join(f"{each.line}: {each}" for each in findings)
    messages.compare(f"corpus: {entry['name']}", told, {tmp_path: "DIR"})


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_our_own_experiments_are_right(file: Path) -> None:
    assert not [each for each in check(file, CheckOptions()) if each.severity != "note"]


def test_the_command_prints_lines_and_json_and_a_code(tmp_path: Path) -> None:
    entry = next(entry for entry in CORPUS if entry["name"] == "range-outside-the-meaning")
    path = written(tmp_path, entry)
    done = boxtune("check", path)
    assert done.code == 2
    assert not done.err
    line = done.out.splitlines()[-2]
    assert line.startswith(f"{path}:")
    assert "error: spec.parameters.2.feasibleSpace:" in line
    assert done.out.splitlines()[-1] == f"{path}: 1 error, no warnings"
    listed = json.loads(boxtune("check", path, "--json").out)
    assert {"file", "line", "severity", "path", "what", "right", "text", "on_katib", "config", "config_line"} == set(
        listed[0]
    )
    right = boxtune("check", BASE)
    assert right.code == 0
    assert right.out.splitlines()[-1] == f"{BASE}: no errors, no warnings"


def test_what_is_no_experiment_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    files = {
        "nothing.yaml": ("", "has no Experiment"),
        "broken.yaml": ("a: [", "not valid YAML"),
        "twice.yaml": ("kind: Experiment\nkind: Experiment\n", '"kind" stands twice'),
        "other.yaml": ("kind: Pod\n", "has no Experiment, only a Pod"),
    }
    for name, (text, says) in files.items():
        (tmp_path / name).write_text(text)
        done = boxtune("check", tmp_path / name)
        assert done.code == 2
        assert says in done.err
        assert len(done.err.strip().splitlines()) == 1
    assert "no such file" in boxtune("check", tmp_path / "nowhere.yaml").err


def test_the_data_are_opened_where_they_can_be_seen(digits: Path, data: Path) -> None:
    good = check(EXPERIMENTS / "quick-start.yaml", CheckOptions(volumes={"data": digits}))
    assert [str(each) for each in good] == []
    (data / "train.record").write_bytes(b"not a record")
    bad = check(EXPERIMENTS / "quick-start.yaml", CheckOptions(volumes={"data": data}))
    assert ["train.record" in str(each) for each in bad] == [True]
    (data / "train.record").unlink()
    missing = check(EXPERIMENTS / "quick-start.yaml", CheckOptions(volumes={"data": data}))
    assert "no such file" in str(missing[0])


def test_what_is_wrong_with_records_is_said_in_the_trial_s_words(data: Path) -> None:
    """Beyond the first 200 records too; a warning fails no trial."""
    images = [features(number, size=(16, 16)) for number in range(210)]
    del images[205][ENCODED]
    for image in images:
        del image[TEXT]  # the label map has others
    images[7][BBOX + "xmin"] = [-0.05, 0.1]
    write(data / "train.record", images)
    config = read_config(data / "pipeline.config")
    resolve_paths(config, data)
    said = {each.severity: each for each in look(config) if Path(each.file).name == "train.record"}
    problems = check(EXPERIMENTS / "quick-start.yaml", CheckOptions(volumes={"data": data}))
    (error,) = [each for each in problems if each.severity == "error"]
    assert error.text == str(said["error"])
    assert "train.record: record 205: image/encoded: is missing" in error.text
    assert error.on_katib == "every trial fails"
    assert str(said["warning"]) in [each.text for each in problems if each.severity == "warning" and not each.on_katib]


def test_one_file_for_both_readers_is_said_without_the_data(tmp_path: Path) -> None:
    text = (EXPERIMENTS / "quick-start.yaml").read_text().replace("validation.record", "train.record")
    path = tmp_path / "experiment.yaml"
    path.write_text(text)
    problems = check(path, CheckOptions())
    assert any(
        "train.record: is the same file in train_input_reader and eval_input_reader.0" in str(each) for each in problems
    )


def test_a_config_can_be_given(tmp_path: Path) -> None:
    entry = next(entry for entry in CORPUS if entry["name"] == "config-that-is-not-here")
    path, config = written(tmp_path, entry), EXPERIMENTS / "base" / "pipeline.config"
    findings = check(path, CheckOptions(config=config))
    assert not [each for each in findings if "--config FILE" in each.text]


def test_what_only_building_finds(tmp_path: Path) -> None:
    """An initializer is Keras's to know by its name; every combination is built. What the rules know needs no build."""
    config_map, experiment = yaml.safe_load_all(BASE.read_text())
    spec = experiment["spec"]
    spec["parameters"][1] = {
        "name": "batch_size",
        "parameterType": "categorical",
        "feasibleSpace": {"list": ["ssd_mobilenet_v2_keras", "faster_rcnn_resnet50_keras"]},
    }
    arguments = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]["args"]
    arguments[:] = [text.replace("--set=batch_size=", "--set=model=") for text in arguments]
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump_all([config_map, experiment]))
    assert not [each for each in check(path, CheckOptions(build=True)) if each.severity == "error"]
    folder = tmp_path / "own"
    (folder / "models").mkdir(parents=True)
    text = (Path(__file__).parents[2] / "configs" / "faster_rcnn_resnet50.config").read_text()
    model = text[text.index("model {") : text.index("train_config")]
    (folder / "models" / "greedy.pbtxt").write_text(
        re.sub(r"second_stage_batch_size: \d+", "second_stage_batch_size: 200", model)
    )
    spec["parameters"][1]["feasibleSpace"]["list"] = ["ssd_mobilenet_v2_keras", "greedy"]
    arguments.append(f"--fragments={folder}")
    path.write_text(yaml.safe_dump_all([config_map, experiment]))
    [error] = [each for each in check(path, CheckOptions()) if each.severity == "error"]
    assert error.path == "spec.parameters.1.feasibleSpace"
    assert "second_stage_batch_size: is 200, above first_stage_max_proposals 16" in error.what
    named = 'keras_initializer_by_name: "no_such"'
    model = model.replace("truncated_normal_initializer { stddev: 0.01 }", named)
    (folder / "models" / "greedy.pbtxt").write_text(model)
    assert not [each for each in check(path, CheckOptions()) if each.severity == "error"]
    errors = [str(each) for each in check(path, CheckOptions(build=True)) if each.severity == "error"]
    assert len(errors) == 1
    assert "batch_size greedy" in errors[0]
