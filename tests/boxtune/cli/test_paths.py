"""The subcommands with every path in a bucket, read and written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from boxtune.cli.main import run_command
from tests.boxtune.data.annotated_sets import random_set, write_coco, write_images
from tests.buckets import upload
from tests.conftest import EXPERIMENTS
from tests.trials import Ended
from trial_entry.storage.snapshot import relative_files


@pytest.fixture
def given(bucket: Any, data: Path) -> Any:
    """Data with a config, and an Experiment, in the bucket."""
    upload(bucket, data, "data")
    text = (EXPERIMENTS / "quick-start.yaml").read_text()
    text = re.sub(r"(axTrialCount|axFailedTrialCount|parallelTrialCount): \d+", r"\1: 1", text)
    bucket.blob("exp/experiment.yaml").upload_from_string(text)
    return bucket


@pytest.fixture
def says(capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line: what it said, and that it named no copy where the user named a bucket."""

    def run(*words: str | Path) -> Ended:
        code = run_command(list(map(str, words)))
        out, err = capfd.readouterr()
        assert "/cache/" not in out + err
        return Ended(code, out, err)

    return run


def test_parameters(given: Any, says: Any) -> None:
    done = says("parameters", "gs://drones/data/pipeline.config", "batch_size")
    assert done.code == 0, done.err
    assert "batch_size" in done.out


def test_check(given: Any, says: Any) -> None:
    done = says("check", "gs://drones/exp/experiment.yaml", "--volume", "data=gs://drones/data")
    assert done.code == 0, done.err + done.out
    assert done.out.splitlines()[-1].startswith("gs://drones/exp/experiment.yaml: no errors")
    given.blob("data/train.record").upload_from_string("no record")
    done = says("check", "gs://drones/exp/experiment.yaml", "--volume", "data=gs://drones/data")
    assert done.code == 2
    assert "gs://drones/data/train.record" in done.out


def test_check_takes_what_the_experiment_s_kustomization_names(given: Any, says: Any) -> None:
    """As it lies in a repository: the config beside it."""
    text = given.blob("exp/experiment.yaml").download_as_bytes().decode()
    experiment = text[text.index("apiVersion: kubeflow.org") :]
    config = re.sub(r"-[0-9a-z]{10}$", "", re.findall(r"name: (pipeline-config-\w+)", text)[0])
    experiment = experiment.replace(re.findall(r"name: (pipeline-config-\w+)", text)[0], config)
    given.blob("folder/experiment.yaml").upload_from_string(experiment)
    given.blob("folder/pipeline.config").upload_from_filename(str(EXPERIMENTS / "quick-start" / "pipeline.config"))
    given.blob("folder/kustomization.yaml").upload_from_string(
        f"configMapGenerator:\n- name: {config}\n  files: [pipeline.config]\n"
    )
    done = says("check", "gs://drones/folder/experiment.yaml", "--volume", "data=gs://drones/data")
    assert done.code == 0, done.err + done.out
    assert "were not checked" not in done.out


def test_data_check(given: Any, says: Any, data: Path) -> None:
    """By folder, pattern and file, with the label map beside the records; a config's paths are the bucket's."""
    whole = says("data", "check", "gs://drones/data", "--config", "gs://drones/data/pipeline.config")
    assert whole.code in (0, 2)
    here = says("data", "check", data, "--config", data / "pipeline.config")
    assert whole.out.replace("gs://drones/data", str(data)) == here.out
    by_pattern = says("data", "check", "gs://drones/data/*.record")
    assert [line for line in by_pattern.out.splitlines() if line.startswith("train: ")] == [
        line for line in whole.out.splitlines() if line.startswith("train: ")
    ]
    one = says("data", "check", "gs://drones/data/train.record", "--label-map", "gs://drones/data/label_map.pbtxt")
    assert one.out.splitlines()[-1].startswith("gs://drones/data/train.record: ")


def test_data_show(given: Any, says: Any) -> None:
    for _ in range(2):  # what is there is replaced, as a file is
        done = says(
            "data", "show", "gs://drones/data", "--out", "gs://drones/pages/sheet.html", "--png", "gs://drones/s.png"
        )
        assert done.code == 0, done.err
        assert done.out.splitlines()[-2:] == ["gs://drones/pages/sheet.html", "gs://drones/s.png"]
    assert given.blob("s.png").download_as_bytes()[1:4] == b"PNG"
    assert b"<html" in given.blob("pages/sheet.html").download_as_bytes()


def test_data_priors(given: Any, says: Any) -> None:
    done = says("data", "priors", "gs://drones/data", "--config", "gs://drones/data/pipeline.config")
    assert done.code == 0, done.err


def test_data_import(bucket: Any, says: Any, tmp_path: Path) -> None:
    """The same bytes as from folders into a folder; the same again changes nothing; others are refused."""
    images = random_set(0, 12)
    write_images(tmp_path / "in" / "images", images)
    words = write_coco(tmp_path / "in", images)
    for name in relative_files(tmp_path / "in"):
        bucket.blob(f"in/{name}").upload_from_filename(str(tmp_path / "in" / name))
    there = [word.replace(str(tmp_path), "gs://drones") for word in words]
    assert says("data", "import", *words, "--out", tmp_path / "records").code == 0
    for _ in range(2):
        done = says("data", "import", *there, "--out", "gs://drones/records")
        assert done.code == 0, done.err
    assert "gs://drones/records: COCO" in done.out
    found = {blob.name.removeprefix("records/"): blob for blob in bucket.list_blobs(prefix="records/")}
    assert sorted(found) == sorted(relative_files(tmp_path / "records"))
    for name, blob in found.items():
        if name != "import.json":  # which has the paths
            assert blob.download_as_bytes() == (tmp_path / "records" / name).read_bytes()
    other = says("data", "import", *there, "--out", "gs://drones/records", "--seed", "5")
    assert other.code == 2
    assert re.search(r"gs://drones/records/\S+: other bytes are there already", other.err)


def test_a_search_on_data_in_a_bucket(given: Any, says: Any, tmp_path: Path) -> None:
    """Its run is here; page and config go to the bucket; the run itself may be read from there."""
    run = tmp_path / "run"
    words = ["gs://drones/exp/experiment.yaml", "--volume", "data=gs://drones/data"]
    done = says("run", *words, "--out", run, "--num-steps", "6", "--no-baseline", "--cold")
    assert done.code == 0, done.err
    best = says("best", run, "--out", "gs://drones/out/pipeline.config")
    assert (best.code, best.out.strip()) == (0, "gs://drones/out/pipeline.config")
    assert b"model {" in given.blob("out/pipeline.config").download_as_bytes()
    for name in relative_files(run):
        if not name.startswith("trials") or name.endswith((".json", ".config")):
            given.blob(f"run/{name}").upload_from_filename(str(run / name))
    for source in (run, "gs://drones/run"):
        page = says("report", source, "--no-evaluation", "--out", "gs://drones/out/report.html")
        assert (page.code, page.out.strip()) == (0, "gs://drones/out/report.html"), page.err
    assert b"<html" in given.blob("out/report.html").download_as_bytes()
    refused = says("report", "gs://drones/run")
    assert (refused.code, "say where the page goes, with --out" in refused.err) == (2, True)
    assert says("show", "gs://drones/run").code == 0


@pytest.mark.parametrize(
    ("words", "says_so"),
    [
        (["parameters", "gs://drones/none"], "boxtune: gs://drones/none: no such object"),
        (["check", "gs://nowhere/experiment.yaml"], "boxtune: gs://nowhere/experiment.yaml: no such bucket"),
        (["check", "gs://drones/exp/experiment.yaml", "--volume", "data=gs://drones/no"], "gs://drones/no: nothing is"),
        (["data", "check", "gs://drones/exp"], "gs://drones/exp: nothing of that kind is there"),
        (["data", "show", "gs://drones/data", "--out", "gs://drones"], "gs://drones: write gs://BUCKET/OBJECT"),
        (["data", "show", "gs://drones/data", "--out", "gs://nowhere/a.html"], "gs://nowhere/a.html: no such bucket"),
        (["data", "import", "gs://drones/none", "--out", "gs://drones/o"], "gs://drones/none: nothing is there"),
        (["run", "gs://drones/exp/experiment.yaml", "--out", "gs://drones/run"], "gs://drones/run: a run's journal is"),
    ],
)
def test_what_cannot_be_is_a_line(given: Any, says: Any, words: list[str], says_so: str) -> None:
    done = says(*words)
    assert done.code == 2
    assert says_so in done.err
    assert len(done.err.strip().splitlines()) == 1
