"""A model on the test split: once, with intervals, every look counted, and no image that was trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from boxtune.data.image_groups import image_groups
from boxtune.data.importing.splitting import Grouping
from boxtune.delivery.history import history
from boxtune.delivery.manifest import verify
from tests.experiments import boxtune
from tests.pages import Page
from tests.trials import rows
from trial_entry.records.tfrecord import read_records, write_records


def measured(home: Path, split: str = "test") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "seed-3" / split / "measured.json").read_text())
    return found


def test_a_look_is_taken_once_and_a_second_one_is_said(model: Path) -> None:
    first = boxtune("evaluate", model)
    assert first.code == 0, first.err
    record = measured(model)
    assert (record["look"], record["images"], record["step"]) == (1, 12, 6)
    assert record["training_compared"] is True
    for name, each in record["intervals"].items():
        assert 0 <= each["low"] <= each["high"] <= 1
        assert each["value"] == pytest.approx(record["metrics"][name], abs=1e-9)
    assert "This is look" not in first.out

    again = boxtune("evaluate", model)
    assert again.code == 0, again.err
    assert "measured before, and not again" in again.out
    assert len(history(str(model))) == 1
    assert measured(model) == record

    second = boxtune("evaluate", model, "--again")
    assert second.code == 0, second.err
    assert "This is look 2 at these images" in second.out
    assert measured(model)["look"] == 2
    assert measured(model)["metrics"] == record["metrics"]
    assert [each.split for each in history(str(model))] == ["test", "test"]

    page = Page((model / "seed-3" / "test" / "report.html").read_text())
    assert not [each for each in page.loads if not each.startswith("data:")]
    assert "This is look 2" in page.text
    [every] = [table for table in page.tables if table[0][0] == "metric"]
    assert {row[0] for row in every[1:]} == record["metrics"].keys()
    assert "test-0000" in page.text, "pictures have the names of their files"


def test_the_validation_s_metrics_are_those_of_the_training(model: Path) -> None:
    ended = boxtune("evaluate", model, "--split", "validation", "--json", "--pictures", "0")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    before = rows(model / "seed-3")[-1]["metrics"]
    for name, value in found["metrics"].items():
        assert value == pytest.approx(before[name], abs=1e-6), name
    assert not (model / "seed-3" / "test").exists()


def test_what_is_no_test(trained: Path, tmp_path: Path) -> None:
    model, data = Path(shutil.copytree(trained / "model", tmp_path / "model")), trained / "data"

    def refused(*arguments: str | Path) -> str:
        ended = boxtune("evaluate", model, *arguments)
        assert ended.code == 2, ended.err
        assert not (model / "seed-3" / "test").exists()
        return ended.reason

    assert "12 of 12 images of test are in eval_input_reader.0 too" in refused("--records", data / "validation.record")
    assert "40 of 40 images of test are in train_input_reader too" in refused("--records", data / "train.record")
    mixed = tmp_path / "mixed.record"
    train, test = (list(read_records(data / name)) for name in ("train.record", "test.record"))
    write_records(mixed, [*test, train[7]])
    assert "1 of 13 images of test are in train_input_reader too" in refused("--records", mixed)
    assert "no such file" in refused("--records", tmp_path / "none.record")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.doc").write_text("mine")
    assert "is there already and has no measured.json" in refused("--out", tmp_path / "thesis")
    assert [each.name for each in (tmp_path / "thesis").iterdir()] == ["chapter.doc"]
    assert not history(str(model))

    validation = list(read_records(data / "validation.record"))
    write_records(mixed, [*test, validation[0]])
    ended = boxtune("evaluate", model, "--records", mixed, "--pictures", "0", "--resamples", "10")
    assert ended.code == 0, ended.err
    assert "1 of the images validated in the search" in ended.out

    config = model / "seed-3" / "pipeline.config"
    config.write_text(config.read_text().replace('name: "test"', 'name: "other"'))
    assert (model / "seed-3" / "test-given" / "measured.json").is_file()
    assert 'no eval_input_reader is called "test"; name the test records with --records' in refused()


def test_a_checkpoint_of_another_config(trained: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(trained / "model" / "seed-3", tmp_path / "model"))
    config = model / "pipeline.config"
    config.write_text(config.read_text().replace("depth_multiplier: 0.35", "depth_multiplier: 0.5"))
    ended = boxtune("evaluate", model)
    assert ended.code == 2
    assert "not a checkpoint of this config's model" in ended.reason
    assert not history(str(model))


def test_what_is_no_model(search: Path, tmp_path: Path) -> None:
    for place, said in (
        (tmp_path / "none", "no such folder; boxtune train makes a model"),
        (tmp_path, "no pipeline.config here"),
        (search, "it is a run; boxtune train"),
    ):
        ended = boxtune("evaluate", place)
        assert ended.code == 2
        assert said in ended.reason
    (tmp_path / "pipeline.config").write_text("model {}")
    assert "no checkpoint here" in boxtune("evaluate", tmp_path).reason
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "ckpt-7"\n')
    assert "names ckpt-7, which is not there" in boxtune("evaluate", tmp_path).reason


@pytest.mark.e2e
def test_one_model_s_numbers_are_no_other_s(model: Path, data: Path, tmp_path: Path) -> None:
    """Of one name, one config and one place: told by the weights' checksums."""
    other = tmp_path / "other"
    config = model / "pipeline.config"
    assert boxtune("train", config, "--seed", "4", "--out", other).code == 0
    out = tmp_path / "out"
    quick = ("--out", out, "--pictures", "0", "--resamples", "10", "--json")
    first, second = (json.loads(boxtune("evaluate", each, *quick).out) for each in (model, other))
    assert first["checkpoint"] == second["checkpoint"]
    assert first["metrics"] != second["metrics"]
    published = boxtune("publish", model, tmp_path / "digits", "--without-exports", "--evaluation", out)
    assert published.code == 0, published.err
    assert "the test measured another checkpoint, and the model card says so" in published.err
    assert boxtune("publish", model, tmp_path / "digits", "--evaluation", tmp_path / "nowhere").code == 2


def test_looks_at_a_published_version_are_remembered_beside_it(model: Path, tmp_path: Path) -> None:
    ended = boxtune("publish", model, tmp_path / "digits", "--without-exports")
    assert ended.code == 0, ended.err
    version = tmp_path / "digits" / "1"
    refused = boxtune("evaluate", version)
    assert refused.code == 2
    assert "a published version, in which nothing is changed; --out DIR" in refused.reason
    for number in (1, 2):
        out = tmp_path / f"look-{number}"
        ended = boxtune("evaluate", version, "--out", out, "--pictures", "0", "--resamples", "10")
        assert ended.code == 0, ended.err
        assert json.loads((out / "measured.json").read_text())["look"] == number
    assert [each.event for each in history(str(tmp_path / "digits"))] == ["evaluated", "evaluated"]
    assert verify(version) is not None
    assert [each.event for each in history(str(model))] == ["published"]


def test_groups_of_images(tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_text("image,group,split\nflight/a.jpg,one,test\nb.jpg,one,test\nc.jpg,,test\n")
    names = ["flight/a_0_0_640_640.jpg", "flight/a_512_0_1152_640.jpg", "b.jpg", "c_0_0_9_9.jpg", "d_1_2_3_4.jpg"]
    assert image_groups(names, [tmp_path / "splits.csv"], Grouping("none")) == [
        "one",
        "one",
        "one",
        "c.jpg",
        "d_1_2_3_4.jpg",
    ]
    assert image_groups(names, [], Grouping("folder"))[:2] == ["flight", "flight"]
    assert image_groups(["x7-1", "x7-2", "y"], [], Grouping(r"(x\d)-")) == ["x7", "x7", "y"]
