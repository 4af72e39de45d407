"""From data in a bucket to a published and replayed model in it, and kills on the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from boxtune.delivery.history import history
from boxtune.delivery.manifest import A_MANIFEST, Manifest
from boxtune.delivery.record_files import parse_record
from tests.boxtune.delivery.test_publishing import KILLED
from tests.buckets import upload
from tests.experiments import boxtune

MODEL, TEST, VERSIONS = "gs://drones/model", "gs://drones/test", "gs://drones/published/digits"
IN_BUCKETS = KILLED.replace("FolderStore", "BucketStore")


def names(bucket: Any, prefix: str) -> set[str]:
    return {blob.name.removeprefix(prefix) for blob in bucket.list_blobs(prefix=prefix)}


@pytest.mark.e2e
def test_every_path_in_a_bucket(bucket: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained, tested, published after kills at every moment, and replayed on an empty disk."""
    upload(bucket, data, "data")
    train = ("train", "gs://drones/data/pipeline.config", "--seed", "3", "--deterministic", "--out", MODEL)
    ended = boxtune(*train)
    assert ended.code == 0, ended.err
    record = json.loads(bucket.blob("model/training.json").download_as_bytes())
    assert record["chosen"] == "seed-3"
    assert {"pipeline.config", "training.json", "seed-3/trial.json", "seed-3/best/ckpt-6.index"} <= names(
        bucket, "model/"
    )
    again = boxtune(*train)
    assert again.code == 0, again.err
    assert "trained before, to step 6" in again.err

    refused = boxtune("evaluate", MODEL)
    assert refused.code == 2
    assert "is in a bucket; --out DIR takes what is measured" in refused.reason
    ended = boxtune("evaluate", MODEL, "--out", TEST, "--pictures", "2", "--resamples", "10")
    assert ended.code == 0, ended.err
    assert f"page: {TEST}/report.html" in ended.out
    assert {"measured.json", "report.html", "detections.json"} <= names(bucket, "test/")
    [look] = history(MODEL)
    assert (look.event, look.split) == ("evaluated", "test")

    publish = ("publish", MODEL, VERSIONS, "--without-exports", "--evaluation", TEST)
    for count in (1, 2, 5, 12):
        killed = subprocess.run(
            [sys.executable, "-c", IN_BUCKETS, str(count), *publish], capture_output=True, text=True, check=False
        )
        assert killed.returncode == -9, killed.stderr
        assert "1/manifest.json" not in names(bucket, "published/digits/")
    ended = boxtune(*publish)
    assert ended.code == 0, ended.err
    content = bucket.blob("published/digits/1/manifest.json").download_as_bytes()
    manifest = parse_record(Manifest, content, "", A_MANIFEST)
    assert names(bucket, "published/digits/1/") == {*manifest.files, "manifest.json", "claim.json"}
    assert "test/measured.json" in manifest.files
    assert "(published before)" in boxtune(*publish).out

    monkeypatch.setenv("BOXTUNE_CACHE", str(tmp_path / "another"))
    ended = boxtune("replay", f"{VERSIONS}/1/reproduction.yaml", "--out", "gs://drones/again")
    assert ended.code == 0, ended.err + ended.out
    assert "the same: no metric differs" in ended.out
    assert len(re.findall(r"^test ", ended.out, re.MULTILINE)) > 10

    bucket.blob("published/digits/1/pipeline.config").upload_from_string("model {}")
    ended = boxtune("evaluate", f"{VERSIONS}/1", "--out", str(tmp_path / "test"))
    assert ended.code == 2
    assert "pipeline.config: was changed since it was published" in ended.reason


def test_a_bucket_that_is_not_there(bucket: Any, model: Path, data: Path) -> None:
    for command in (
        ("publish", model, "gs://nobody/digits", "--without-exports"),
        ("train", data / "pipeline.config", "--out", "gs://nobody/model"),
        ("evaluate", "gs://nobody/model", "--out", "gs://drones/test"),
        ("evaluate", "gs://drones/nothing", "--out", "gs://drones/test"),
        ("predict", "gs://drones/nothing", data, "--out", "gs://drones/found"),
        ("replay", "gs://nobody/digits/1/reproduction.yaml"),
    ):
        ended = boxtune(*command)
        assert ended.code == 2, (command, ended.err)
        assert "gs://nobody" in ended.reason or "gs://drones/nothing" in ended.reason, ended.reason
        assert "Traceback" not in ended.err
    assert not names(bucket, "")
