"""The steps after a search: trained, measured, exported, published, reported, each of what the one before left."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from kfp.dsl import ClassificationMetrics

from boxtune.delivery.manifest import verify
from boxtune.delivery.model import open_model
from boxtune.errors import InputError
from pipelines.steps.evaluate import EvaluateAsked, evaluate
from pipelines.steps.export import ExportAsked, export
from pipelines.steps.publish import PublishAsked, publish
from pipelines.steps.report import report
from pipelines.steps.train import TrainAsked, train
from pipelines.steps.values import Values
from tests.conftest import write_config
from tests.made_once import made_once
from tests.pages import Page


@dataclass(frozen=True)
class Delivered:
    """What the steps left, below one folder, as KFP's artifacts would."""

    folder: Path
    data: dict[str, object]
    about: dict[str, object]
    metrics: Values


@pytest.fixture(scope="module")
def delivered(digits: Path, search: Path, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """A model of the search's best trial, measured and exported."""
    data = dict[str, object](place=str(digits))

    def make(folder: Path) -> None:
        about, metrics = dict[str, object](), Values(folder / "metrics", {})
        train(TrainAsked(str(search), "", "data", "", data), folder / "model", about, metrics)
        measured, classes = (Values(folder / f"measured-{name}", {}) for name in ("metrics", "classes"))
        evaluate(
            EvaluateAsked(str(folder / "model"), "", data), folder / "measured", folder / "page", measured, classes
        )
        exported = Values(folder / "exported-metrics", {})
        asked = ExportAsked(str(folder / "model"), "", data, ["saved_model"])
        export(asked, folder / "exported", {}, exported)
        (folder / "kept.json").write_text(json.dumps([about, metrics.metadata]))

    folder = made_once(tmp_path_factory, "artifacts", make)
    about, metadata = json.loads((folder / "kept.json").read_text())
    return Delivered(folder, data, about, Values(folder / "metrics", metadata))


def test_the_best_trial_is_trained_to_its_end(delivered: Delivered) -> None:
    model = open_model(str(delivered.folder / "model"))
    assert model.step == "6"
    assert delivered.about["experiment"] == "quick-start"
    assert delivered.about["step"] == 6
    assert delivered.metrics.metadata["mAP"] == json.loads(delivered.metrics.path.read_text())["mAP"]


def test_the_model_is_measured_on_the_test_split(delivered: Delivered) -> None:
    metrics = json.loads((delivered.folder / "measured-metrics").read_text())
    assert metrics["mAP_low"] <= metrics["mAP_high"]
    page = Page((delivered.folder / "page").read_text())
    assert all(each.startswith("data:") for each in page.loads)
    assert "12 images" in page.text


def test_which_class_is_taken_for_which_is_as_kfp_logs_it(delivered: Delivered) -> None:
    found = json.loads((delivered.folder / "measured-classes").read_text())
    matrix = [each["row"] for each in found["confusionMatrix"]["rows"]]
    names = [each["displayName"] for each in found["confusionMatrix"]["annotationSpecs"]]
    assert names == ["0", "1", "2", "3", "4", "nothing"]
    logged = ClassificationMetrics(name="classes", uri="classes", metadata={})
    logged.log_confusion_matrix(names, matrix)
    assert found == logged.metadata
    measured = json.loads((delivered.folder / "measured" / "detections.json").read_text())
    objects = sum(not each["iscrowd"] for each in measured["annotations"])
    assert sum(map(sum, matrix[:-1])) == objects


def test_a_version_is_the_artifact_and_lies_where_it_is_published(delivered: Delivered, tmp_path: Path) -> None:
    folder, about = delivered.folder, dict[str, object]()
    places = (str(folder / "model"), str(folder / "exported"), str(folder / "measured"))
    asked = PublishAsked(*places, "test", str(tmp_path / "digits"), "digits")
    place = publish(asked, tmp_path / "artifact", "minio://pipeline/published", about)
    assert place == f"{tmp_path}/digits/1"
    assert about == {"framework": "tensorflow", "name": "digits", "version": "1", "place": place}
    manifest = verify(tmp_path / "artifact")
    assert manifest is not None
    assert manifest == verify(Path(place))
    assert "test/measured.json" in manifest.files
    assert publish(asked, tmp_path / "again", "minio://pipeline/published", about) == place
    alone = PublishAsked(*places, "test", "", "digits")
    assert publish(alone, tmp_path / "alone", "minio://pipeline/published", about) == "minio://pipeline/published"
    assert verify(tmp_path / "alone") is not None


def test_the_report_is_a_page_that_loads_nothing(delivered: Delivered, search: Path, tmp_path: Path) -> None:
    shutil.copytree(search, tmp_path / "run")
    report(str(tmp_path / "run"), "", delivered.data, tmp_path / "page")
    page = Page((tmp_path / "page").read_text())
    assert all(each.startswith("data:") for each in page.loads)
    assert "Precision and recall" in page.headings


def test_a_config_is_trained_with_the_data_s_folder(digits: Path, tmp_path: Path) -> None:
    text = write_config(tmp_path).read_text()
    data: dict[str, object] = {"place": str(digits)}
    about, metrics = dict[str, object](), Values(tmp_path / "metrics", {})
    asked = TrainAsked("", text, "data", "", data, seed=5, num_steps=4)
    train(asked, tmp_path / "model", about, metrics)
    assert about["step"] == 4
    assert about["seed"] == 5
    assert str(digits / "train.record") in open_model(str(tmp_path / "model")).config.read_text()


def test_a_format_that_cannot_be_had_ends_the_step(delivered: Delivered, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        export(
            ExportAsked(str(delivered.folder), "", delivered.data, ["saved_model"]),
            tmp_path / "out",
            {},
            Values(tmp_path / "metrics", {}),
        )
    assert not (tmp_path / "out").exists()
