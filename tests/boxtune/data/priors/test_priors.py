"""`boxtune data priors`: what is printed passes `boxtune check`, renders, and matches more boxes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.cli.main import run_command
from boxtune.data.priors.box_sample import BoxSample, sample_boxes, training_splits
from boxtune.data.priors.suggestions import Prior, boxes_of, suggest, usual_config
from boxtune.data.record_files import RecordFiles, find_records
from boxtune.errors import InputError
from tests.boxtune.data.made import box, example, picture, write
from tests.configs.zoo import ZOO
from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import boxtune, container
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config.anchors import anchor_generator
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.text import parse_config, read_config


def records_of(
    folder: Path, edges: list[tuple[float, float]], size: tuple[int, int] = (200, 100), each: int = 1
) -> Path:
    """train.record: an image for every `each` boxes of these widths and heights in pixels, somewhere in the image."""
    encoded, (width, height) = picture(*size), size
    examples = []
    for number in range(0, len(edges), each):
        made = []
        for place, (across, up) in enumerate(edges[number : number + each]):
            left, top = (number * 7 + place * 13) % (width - across), (number * 5 + place * 3) % (height - up)
            made.append(box(1, "cat", left / width, top / height, (left + across) / width, (top + up) / height))
        examples.append(example(made, encoded, width, height, f"{number}.png"))
    return write(folder / "train.record", *examples)


def sample_of(file: Path) -> BoxSample:
    records = find_records([str(file)])
    return sample_boxes(records, training_splits(records))


def named(priors: Any) -> dict[str, Prior]:
    return {each.name: each for each in priors.priors}


def settings(out: str) -> list[Assignment]:
    return [Assignment.parse(line.removeprefix("--set=")) for line in out.splitlines() if line.startswith("--set=")]


def test_what_is_suggested_renders_and_matches_what_is_said(data: Path) -> None:
    config = data / "pipeline.config"
    done = boxtune("data", "priors", data / "train.record", "--config", config)
    assert done.code == 0, done.err
    assignments = settings(done.out)
    assert [each.name for each in assignments] == ["anchor_scales"]
    rendered = BaseConfig.read(config).render(assignments).config
    sample = sample_of(data / "train.record")
    generator = anchor_generator(rendered)
    assert generator is not None
    best = generator.overlaps(generator.shapes(generator.scales, generator.ratios), boxes_of(rendered, sample)).max(1)
    said = re.search(r"meet an anchor at IoU 0.5: ([\d.]+)% .* now, ([\d.]+)% ", done.out)
    assert said is not None
    assert float(said[2]) == pytest.approx(100 * (best >= 0.5).mean(), abs=0.06)
    assert float(said[2]) > float(said[1]) + 5


def test_the_blocks_make_an_experiment_that_check_accepts(data: Path, tmp_path: Path) -> None:
    config = data / "pipeline.config"
    blocks = yaml.safe_load(boxtune("data", "priors", data / "train.record", "--config", config, "--yaml").out)
    assert [each["name"] for each in blocks["parameters"]] == [
        "image_size", "anchor_scales", "aspect_ratios", "max_detections",
    ]  # fmt: skip
    documents = list(yaml.safe_load_all((EXPERIMENTS / "quick-start.yaml").read_text()))
    experiment = next(each for each in documents if each["kind"] == "Experiment")
    template = experiment["spec"]["trialTemplate"]
    container(experiment)["args"] = [
        *(arg for arg in container(experiment)["args"] if "trialParameters" not in arg),
        *blocks["args"],
    ]
    experiment["spec"]["parameters"], template["trialParameters"] = blocks["parameters"], blocks["trialParameters"]
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.dump_all(documents, sort_keys=False))
    done = boxtune("check", file, "--volume", f"data={data}")
    assert done.code == 0, done.out
    assert "no error" in done.out


@pytest.mark.parametrize("name", ZOO)
def test_every_config_of_the_zoo_takes_what_is_suggested(name: str, tmp_path: Path) -> None:
    config = parse_config(ZOO[name], name)
    edges = [(6.0 + number % 30, 12.0 + number % 50) for number in range(200)]
    priors = suggest(config, sample_of(records_of(tmp_path, edges, (640, 480))))
    assignments = [Assignment(each.name, each.suggested) for each in priors.priors if each.changes]
    base = BaseConfig(config, name, tmp_path)
    assert base.check(assignments) is None
    for each in priors.priors:
        assert base.check([Assignment(each.name, each.suggested)]) is None
    if priors.now is not None and priors.suggested is not None:
        assert priors.suggested.matched >= priors.now.matched


def test_objects_smaller_than_a_cell_ask_for_larger_images(tmp_path: Path) -> None:
    config = parse_config(ZOO["ssd_mobilenet_v2_fpnlite_320x320"], "")
    large = records_of(tmp_path, [(24.0, 24.0)] * 20, (1280, 1280))
    prior = named(suggest(config, sample_of(large)))["image_size"]
    assert (prior.now, prior.suggested) == ("320", "448")  # 24 of 1280 pixels are 8.4 of 448
    assert "100.0% of the objects have a side under 8 pixels" in prior.why
    small = records_of(tmp_path, [(24.0, 24.0)] * 20, (320, 320))
    assert not named(suggest(config, sample_of(small)))["image_size"].changes
    speck = records_of(tmp_path, [(3.0, 3.0)] * 20, (1280, 1280))
    prior = named(suggest(config, sample_of(speck)))["image_size"]
    assert not prior.changes
    assert "hardly fewer in larger pictures" in prior.why


def test_the_fullest_image_sets_what_is_kept_and_read(tmp_path: Path) -> None:
    config = parse_config(ZOO["ssd_mobilenet_v2_fpnlite_320x320"], "")
    crowded = records_of(tmp_path, [(24.0, 24.0)] * 300, (320, 320), each=150)
    priors = named(suggest(config, sample_of(crowded)))
    assert priors["max_detections"].suggested == "300"
    assert priors["train_input_reader.max_number_of_boxes"].suggested == "200"
    assert priors["eval_input_reader.0.max_number_of_boxes"].now == "100"
    assert priors["train_input_reader.max_number_of_boxes"].searched is None
    few = records_of(tmp_path, [(24.0, 24.0)] * 3, (320, 320))
    assert [name for name in named(suggest(config, sample_of(few))) if "boxes" in name] == []


def test_the_lowest_layer_of_an_ssd_gets_all_shapes_where_it_needs_them(tmp_path: Path) -> None:
    config = read_config(QUICK_START / "pipeline.config")
    config.model.ssd.anchor_generator.ssd_anchor_generator.reduce_boxes_in_lowest_layer = True
    squares = sample_of(
        records_of(tmp_path, [(30.0 + number % 20, 30.0 + number % 20) for number in range(100)], (128, 128))
    )
    field = "model.ssd.anchor_generator.ssd_anchor_generator.reduce_boxes_in_lowest_layer"
    assert named(suggest(config, squares))[field].suggested == "false"
    config.train_config.fine_tune_checkpoint, config.train_config.fine_tune_checkpoint_type = "ckpt-0", "full"
    whole = named(suggest(config, squares))
    assert field not in whole
    assert whole["aspect_ratios"].suggested.count(",") == 0  # as many as there were


def test_crowds_and_boxes_without_an_area_say_nothing(tmp_path: Path) -> None:
    wrong = [box(1, "cat", 0.1, 0.1, 0.9, 0.9, is_crowd=True), box(1, "cat", 0.3, 0.1, 0.3, 0.9)]
    good = box(1, "cat", 0.5, 0.5, 1.5, 0.75)
    write(tmp_path / "train.record", example([*wrong, good]))
    sample = sample_of(tmp_path / "train.record")
    assert list(zip(sample.xmin, sample.xmax, sample.ymin, sample.ymax, strict=True)) == [(0.5, 1.0, 0.5, 0.75)]
    assert (sample.images, sample.boxes, sample.most) == (1, 1, 3)
    write(tmp_path / "train.record", example(wrong))
    with pytest.raises(InputError, match="no box with an area"):
        suggest(usual_config(), sample_of(tmp_path / "train.record"))


def test_the_test_s_records_are_not_looked_at() -> None:
    from trial_entry.records.label_map import LabelMap

    def splits(*names: str) -> tuple[str, ...]:
        return training_splits(RecordFiles({name: [] for name in names}, LabelMap({})))

    assert splits("train", "validation", "test") == ("train",)
    assert splits("part_a", "part_b", "test") == ("part_a", "part_b")
    assert splits("test") == ("test",)


def test_no_config_means_the_zoo_s_usual_one(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "priors", str(digits)]) == 0
    out = capsys.readouterr().out
    assert "for: the model zoo's SSDs" in out
    assert "read: 40 images of train" in out


def test_wrong_input_is_one_line(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.config"
    bad.write_text("model { ssd { image_resizer { identity_resizer { } } } }")
    for arguments, says in (
        ([tmp_path / "nothing.record"], "no such record file"),
        ([digits, "--config", tmp_path / "no.config"], "no such file"),
        ([digits, "--config", bad], "image_size: model.ssd.image_resizer is identity_resizer"),
    ):
        assert run_command(["data", "priors", *map(str, arguments)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line
