"""The steps that make and check records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from boxtune.errors import AnnotationsError, InputError
from boxtune.experiment.loading import load_experiment
from pipelines.steps.check_data import DataAsked, check_data
from pipelines.steps.datasets import dataset_folder, place_folder
from pipelines.steps.digests import Asked, digests
from pipelines.steps.given import Changes, place_digest, written
from pipelines.steps.import_data import ImportAsked, import_data
from pipelines.steps.values import Values
from tests.conftest import QUICK_START
from tests.pages import Page
from tests.pipelines.annotated import write_annotated

EXPERIMENT = QUICK_START.with_suffix(".yaml").read_text()


def checked(tmp_path: Path, asked: DataAsked) -> tuple[Values, Values, Path]:
    dataset, metrics = Values(tmp_path / "dataset", {}), Values(tmp_path / "metrics", {})
    check_data(asked, tmp_path / "page", dataset, metrics)
    return dataset, metrics, tmp_path / "page"


def asked(place: Path | str, experiment: str = EXPERIMENT, **more: str) -> DataAsked:
    text = digests(Asked(experiment=experiment)).experiment if experiment else ""
    return DataAsked(
        text, more.pop("config", ""), "", str(place), place_digest(str(place)), more.pop("volume", "data"), **more
    )


def test_good_data_become_a_dataset_that_names_their_place(digits: Path, tmp_path: Path) -> None:
    dataset, metrics, page = checked(tmp_path, asked(digits))
    assert dataset.metadata == {"place": str(digits), "sha256": place_digest(str(digits))}
    assert json.loads(dataset.path.read_text()) == dataset.metadata
    assert dataset_folder(str(dataset.path), dataset.metadata) == digits
    assert metrics.metadata["train_images"] == 40
    assert metrics.metadata["test_images"] == 12
    read = Page(page.read_text())
    assert read.loads == []
    assert ["train", "40"] in [row[:2] for row in read.tables[0]]


def test_a_config_is_checked_with_the_records_that_it_names(data: Path, tmp_path: Path) -> None:
    config = (data / "pipeline.config").read_text()
    (data / "pipeline.config").unlink()  # its text alone is given
    dataset, _, _ = checked(tmp_path, asked(data, "", config=config))
    assert dataset.metadata["place"] == str(data)


def test_data_that_cannot_be_trained_on_end_the_step(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(data / "train.record", data / "test.record")
    with pytest.raises(InputError, match="40 of 40 images of test are in train_input_reader too"):
        checked(tmp_path, asked(data))
    assert "40 of 40 images of test are in train too" in capsys.readouterr().out
    assert (tmp_path / "page").exists()


def test_a_missing_record_ends_the_step_with_the_experiment_s_finding(data: Path, tmp_path: Path) -> None:
    (data / "train.record").unlink()
    with pytest.raises(InputError, match=r"train\.record: no such file"):
        checked(tmp_path, asked(data))


def test_a_volume_that_the_pod_has_not_is_named(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="volume records: the pod has no such volume; it has config, data"):
        checked(tmp_path, asked(digits, volume="records"))


def test_no_test_split_is_said_before_the_search(digits: Path, tmp_path: Path) -> None:
    lines = EXPERIMENT.splitlines(keepends=True)
    begin = next(place for place, line in enumerate(lines) if "no trial reads it" in line)
    end = next(place for place, line in enumerate(lines) if place > begin and line.startswith("    }"))
    without = "".join(lines[:begin] + lines[end + 1 :]).replace("eval_input_reader.1", "eval_input_reader.0")
    without = "".join(line for line in without.splitlines(keepends=True) if "=/data/test.record" not in line)
    keep: list[str] = []
    for line in without.splitlines(keepends=True):
        if "eval_input_reader.0.label_map_path" in line and line in keep:
            continue
        keep.append(line)
    text = "".join(keep)
    with pytest.raises(InputError, match='no eval_input_reader of the config is called "test", so nothing'):
        checked(tmp_path, asked(digits, text))
    checked(tmp_path, asked(digits, text, split="validation"))


def test_records_of_a_bucket_are_fetched_to_one_path(digits: Path, tmp_path: Path, s3_bucket: Any) -> None:
    for file in digits.iterdir():
        s3_bucket.upload_file(str(file), "drones", f"digits/{file.name}")
    dataset, _, _ = checked(tmp_path, asked("s3://drones/digits"))
    first = dataset_folder(str(dataset.path), dataset.metadata)
    assert first == dataset_folder("/elsewhere", dataset.metadata)
    assert {file.name for file in first.iterdir()} >= {"train.record", "label_map.pbtxt"}
    with pytest.raises(InputError, match="s3://drones/nothing: nothing is there"):
        dataset_folder("", {"place": "s3://drones/nothing"})


def test_what_is_gone_from_the_bucket_is_gone_from_its_folder(s3_bucket: Any, tmp_path: Path) -> None:
    for name in ("train-1.record", "train-2.record", "deep/label_map.pbtxt"):
        s3_bucket.put_object(Bucket="drones", Key=f"d/{name}", Body=b"the same")
    folder = place_folder("s3://drones/d")
    s3_bucket.delete_object(Bucket="drones", Key="d/train-2.record")
    (folder / "train-1.record").unlink()
    assert place_folder("s3://drones/d") == folder
    found = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    assert sorted(found) == ["deep/label_map.pbtxt", "train-1.record"]


def test_annotated_images_become_records_and_an_experiment(digits: Path, tmp_path: Path) -> None:
    file, images = write_annotated(digits, tmp_path / "annotated")
    config = (QUICK_START / "pipeline.config").read_text()
    changes = Changes(max_trials=3, num_steps=9)
    given = ImportAsked(str(file), str(images), config, group="none", changes=changes)
    metrics, about, out = Values(tmp_path / "metrics", {}), dict[str, object](), tmp_path / "artifact" / "dataset"
    text = import_data(given, out, about, metrics)
    experiment = load_experiment(written(text))
    assert experiment.counts.most == 3
    assert "--set=num_steps=9" in text
    assert isinstance(metrics.metadata["test_images"], int)
    assert len(str(about["sha256"])) == 64
    dataset = Values(tmp_path / "dataset", {})
    looked = DataAsked(text, "", str(out), "", "d1ge57", "data")
    check_data(looked, tmp_path / "page", dataset, Values(tmp_path / "more", {}))
    assert dataset_folder(str(out), about) == out


def test_annotations_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    given = ImportAsked(str(tmp_path / "a.json"), "", (QUICK_START / "pipeline.config").read_text())
    with pytest.raises(AnnotationsError):
        import_data(given, tmp_path / "out", {}, Values(tmp_path / "metrics", {}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_data_that_were_replaced_since_the_run_began_are_refused(tmp_path: Path, s3_bucket: Any, kind: str) -> None:
    """What is trained must be what the cache's key says."""
    file = tmp_path / "data" / "train.record"
    file.parent.mkdir()

    def put(content: bytes) -> None:
        file.write_bytes(content)
        s3_bucket.put_object(Bucket="drones", Key="replaced/train.record", Body=content)

    put(b"one")
    place = str(file.parent) if kind == "folder" else "s3://drones/replaced"
    metadata = {"place": place, "sha256": f"{place_digest(place)} {'0' * 64}"}
    assert (dataset_folder("", metadata) / "train.record").read_bytes() == b"one"
    put(b"two")
    with pytest.raises(InputError, match="the files there are not those that the run began with; begin a new run"):
        dataset_folder("", metadata)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tile": -5}, "tile -5: must be the side of tiles in pixels"),
        ({"split": "validation=2"}, 'shares "validation=2": "validation=2"; '),
        ({"group": "("}, r'group "\(": no regular expression'),
    ],
)
def test_values_of_an_import_are_named_as_the_pipeline_has_them(
    tmp_path: Path, wrong: dict[str, Any], words: str
) -> None:
    given = ImportAsked(str(tmp_path / "a.json"), "", (QUICK_START / "pipeline.config").read_text(), **wrong)
    with pytest.raises(InputError, match=f"^{words}"):
        import_data(given, tmp_path / "out", {}, Values(tmp_path / "metrics", {}))
