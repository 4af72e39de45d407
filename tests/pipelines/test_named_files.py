"""What lies outside the places that a pipeline is given, and is read all the same: it changes the digests too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.steps.digests import Asked, digests
from pipelines.steps.given import place_digest
from tests.conftest import QUICK_START
from tests.experiments import container
from tests.pipelines.annotated import write_annotated

FILE = QUICK_START.with_suffix(".yaml")


@pytest.fixture
def annotated(digits: Path, tmp_path: Path) -> tuple[Path, Path]:
    return write_annotated(digits, tmp_path / "annotated")


def test_images_beside_their_annotations_are_digested(annotated: tuple[Path, Path]) -> None:
    """And nothing else that lies there."""
    file, images = annotated
    given = Asked(annotations=str(file))
    before = digests(given).sources
    (file.parent / "notes.txt").write_text("of another matter")
    assert digests(given).sources == before
    image = next(images.glob("train-*"))
    image.write_bytes(image.read_bytes() + b"x")
    assert digests(given).sources != before


def test_images_beside_annotations_in_a_bucket_are_digested(s3_bucket: Any) -> None:
    s3_bucket.put_object(Bucket="drones", Key="beside/a.json", Body=b"{}")
    s3_bucket.put_object(Bucket="drones", Key="beside/images/1.png", Body=b"one")
    given = Asked(annotations="s3://drones/beside/a.json")
    before = digests(given).sources
    s3_bucket.put_object(Bucket="drones", Key="beside/images/1.png", Body=b"two")
    assert digests(given).sources != before


def changed(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


@pytest.mark.parametrize("where", ["here", "bucket"])
def test_files_that_a_config_names_elsewhere_are_digested(
    data: Path, tmp_path: Path, s3_bucket: Any, where: str
) -> None:
    label_map = tmp_path / "label_map.pbtxt"
    shutil.move(data / "label_map.pbtxt", label_map)
    config = (data / "pipeline.config").read_text().replace('"label_map.pbtxt"', f'"{label_map}"')
    assert str(label_map) in config
    checkpoint = tmp_path / "ckpt-0.data-00000-of-00001"
    checkpoint.write_bytes(b"weights")
    config = config.replace("train_config {", f'train_config {{\n  fine_tune_checkpoint: "{tmp_path}/ckpt-0"\n', 1)
    if where == "bucket":
        s3_bucket.upload_file(str(data / "train.record"), "drones", "named/train.record")
    given = Asked(config=config, data=str(data) if where == "here" else "s3://drones/named")
    seen = {digests(given).data}
    changed(label_map)
    seen.add(digests(given).data)
    changed(checkpoint)
    seen.add(digests(given).data)
    assert len(seen) == 3
    assert all(each.split()[0] == place_digest(given.data) for each in seen)


def test_a_config_that_names_only_its_data_has_no_more_than_their_digest(data: Path) -> None:
    given = Asked(config=(data / "pipeline.config").read_text(), data=str(data))
    assert digests(given).data == place_digest(str(data))


def test_files_that_trials_read_elsewhere_are_digested(digits: Path, tmp_path: Path) -> None:
    """Of a claim that the step mounts too."""
    assert digests(Asked(experiment=FILE.read_text(), data=str(digits))).data == place_digest(str(digits))
    pretrained = tmp_path / "pretrained"
    pretrained.mkdir()
    (pretrained / "label_map.pbtxt").write_bytes((digits / "label_map.pbtxt").read_bytes())
    config_map, made = yaml.safe_load_all(FILE.read_text())
    container(made)["args"] = [
        f"--set={each.removeprefix('--set=').partition('=')[0]}={pretrained}/label_map.pbtxt"
        if "label_map_path" in each
        else each
        for each in container(made)["args"]
    ]
    container(made)["volumeMounts"].append({"name": "more", "mountPath": str(pretrained)})
    pod = made["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "more", "persistentVolumeClaim": {"claimName": "pretrained"}})
    text = "---\n".join(json.dumps(each) + "\n" for each in (config_map, made))
    given = Asked(experiment=text, data=str(digits))
    before = digests(given).data
    assert len(before.split()) == 2
    changed(pretrained / "label_map.pbtxt")
    assert digests(given).data != before


def test_the_config_of_trials_that_lies_with_the_records_in_a_bucket_is_looked_at(
    data: Path, tmp_path: Path, s3_bucket: Any
) -> None:
    label_map = tmp_path / "label_map.pbtxt"
    shutil.copy(data / "label_map.pbtxt", label_map)
    file = data / "pipeline.config"
    file.write_text(file.read_text().replace('"label_map.pbtxt"', f'"{label_map}"'))
    s3_bucket.upload_file(str(file), "drones", "with-config/pipeline.config")
    config_map, made = yaml.safe_load_all(FILE.read_text())
    own, *arguments = container(made)["args"]
    assert own == "--pipeline_config_path=/config/pipeline.config"
    own = "--pipeline_config_path=/data/pipeline.config"
    container(made)["args"] = [own, *(each for each in arguments if "label_map_path" not in each)]
    text = "---\n".join(json.dumps(each) + "\n" for each in (config_map, made))
    given = Asked(experiment=text, data="s3://drones/with-config")
    before = digests(given).data
    assert len(before.split()) == 2
    changed(label_map)
    assert digests(given).data != before


def test_folders_behind_links_are_digested(tmp_path: Path) -> None:
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "data"
    elsewhere.mkdir()
    place.mkdir()
    (elsewhere / "train.record").write_text("one")
    (place / "train").symlink_to(elsewhere, target_is_directory=True)
    (elsewhere / "again").symlink_to(elsewhere, target_is_directory=True)
    before = place_digest(str(place))
    (elsewhere / "train.record").write_text("two")
    assert place_digest(str(place)) != before


def test_a_bucket_itself_can_hold_the_data(s3_bucket: Any) -> None:
    s3_bucket.put_object(Bucket="drones", Key="root.record", Body=b"one")
    before = place_digest("s3://drones")
    assert before == place_digest("s3://drones/")
    s3_bucket.put_object(Bucket="drones", Key="root.record", Body=b"two")
    assert place_digest("s3://drones") != before


def test_records_that_an_import_replaces_are_not_looked_at(annotated: tuple[Path, Path], tmp_path: Path) -> None:
    """The config's own may lie in a bucket that nobody here can read; its checkpoint is what is begun from."""
    file, images = annotated
    config = (QUICK_START / "pipeline.config").read_text()
    config = config.replace('input_path: "', 'input_path: "gs://of-somebody-else/')
    assert "gs://of-somebody-else/" in config
    config = config.replace("train_config {", f'train_config {{\n  fine_tune_checkpoint: "{tmp_path}/ckpt-0"\n', 1)
    (tmp_path / "ckpt-0.index").write_bytes(b"index")
    given = Asked(annotations=str(file), images=str(images), config=config)
    before = digests(given).sources
    changed(tmp_path / "ckpt-0.index")
    assert digests(given).sources != before
