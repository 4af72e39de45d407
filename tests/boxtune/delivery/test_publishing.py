"""Versions: whole or not there, never overwritten, gone on with after a kill at any moment."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from boxtune.delivery.manifest import verify
from boxtune.delivery.model import open_model
from boxtune.delivery.publishing import PublishOptions, publish
from boxtune.errors import InputError
from tests.experiments import boxtune
from tests.trials import rows

# Publishes, and dies of SIGKILL in the middle of the COUNT-th thing that it writes.
KILLED = """
import os, signal, sys
import trial_entry.storage.store as stores
from boxtune.cli.main import run_command
count = int(sys.argv[1])
def counted(method):
    def call(self, name, *rest):
        global count
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, name, *rest)
    return call
for name in ("put", "write_new"):
    setattr(stores.FolderStore, name, counted(getattr(stores.FolderStore, name)))
sys.exit(run_command(sys.argv[2:]))
"""


def publish_quietly(model: Path, destination: Path, version: str | None = None) -> str:
    options = PublishOptions(str(destination), version=version, exports=False)
    return publish(open_model(str(model)), options, lambda line: None).place


def test_a_version_has_all_that_it_takes(model: Path, tmp_path: Path) -> None:
    ended = boxtune("publish", model, tmp_path / "digits", "--without-exports")
    assert ended.code == 0, ended.err
    assert "not measured on the test split, and the model card says so" in ended.err
    version = tmp_path / "digits" / "1"
    manifest = verify(version)
    assert manifest is not None
    assert {
        "pipeline.config",
        "label_map.pbtxt",
        "checkpoint/ckpt-6.index",
        "reproduction.yaml",
    } <= manifest.files.keys()
    made = yaml.safe_load((version / "reproduction.yaml").read_text())
    assert (made["name"], made["version"], made["seed"], made["step"]) == ("digits", "1", 3, 6)
    assert made["deterministic"] is True
    assert made["validation"] == rows(model / "seed-3")[-1]["metrics"]
    assert "Not measured on a test split" in (version / "MODEL_CARD.md").read_text()
    published = open_model(str(version))
    assert published.checkpoint == str(version / "checkpoint" / "ckpt-6")
    assert published.is_published


def test_a_version_is_never_overwritten(model: Path, trained: Path, tmp_path: Path) -> None:
    destination, other = tmp_path / "digits", tmp_path / "other"
    shutil.copytree(trained / "model", other)
    metrics = other / "seed-3" / "metrics.json"
    metrics.write_text(metrics.read_text() + "\n")
    assert publish_quietly(model, destination) == f"{destination}/1"
    assert publish_quietly(model, destination) == f"{destination}/1", "it is there already"
    assert publish_quietly(other, destination) == f"{destination}/2"
    with pytest.raises(InputError, match=r"digits/1: exists .* never overwritten"):
        publish_quietly(other, destination, "1")
    assert publish_quietly(other, destination, "v2.1-night") == f"{destination}/v2.1-night"
    for wrong in ("", "..", "a/b", " 1"):
        with pytest.raises(InputError, match="a name of letters"):
            publish_quietly(other, destination, wrong)
    with pytest.raises(InputError, match="is a published version already"):
        publish_quietly(destination / "1", tmp_path / "elsewhere")


def test_killed_at_any_moment_the_same_command_goes_on(model: Path, tmp_path: Path) -> None:
    """A reader sees a whole version or none, whatever was written last; the version's number stays."""
    destination = tmp_path / "digits"
    command = ["publish", str(model), str(destination), "--without-exports"]
    writes = 0
    while True:
        writes += 1
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(writes), *command], capture_output=True, text=True, check=False
        )
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        if (destination / "1" / "manifest.json").exists():  # while it was remembered in the model's history
            assert verify(destination / "1") is not None
            continue
        if writes > 1:  # before the first write nothing says whose it is
            with pytest.raises(InputError, match="is not whole: its publishing was cut off"):
                open_model(str(destination / "1"))
    assert writes > 10
    manifest = verify(destination / "1")
    assert manifest is not None
    assert [each.name for each in destination.iterdir()] == ["1"]


def test_other_things_are_left_alone(model: Path, tmp_path: Path) -> None:
    destination = tmp_path / "digits"
    (destination / "1").mkdir(parents=True)
    (destination / "1" / "pipeline.config").write_text("mine")
    (destination / "2").write_text("a file")
    (destination / "web").mkdir()
    (destination / "web" / "manifest.json").write_text('{"short_name": "an app"}')
    assert publish_quietly(model, destination) == f"{destination}/3"
    with pytest.raises(InputError, match="holds other files"):
        publish_quietly(model, destination, "1")
    assert [each.name for each in (destination / "1").iterdir()] == ["pipeline.config"]
    (destination / "3" / "metrics.json").write_text("[]")
    with pytest.raises(InputError, match="was changed since it was published"):
        publish_quietly(model, destination)


def test_a_half_published_number_is_left_to_its_owner(model: Path, trained: Path, tmp_path: Path) -> None:
    destination, other = tmp_path / "digits", tmp_path / "other"
    shutil.copytree(trained / "model", other)
    metrics = other / "seed-3" / "metrics.json"
    metrics.write_text(metrics.read_text() + "\n")
    command = ["publish", str(model), str(destination), "--without-exports"]
    subprocess.run([sys.executable, "-c", KILLED, "4", *command], capture_output=True, check=False)
    assert publish_quietly(other, destination) == f"{destination}/2"
    with pytest.raises(InputError, match="another model is being published as it"):
        publish_quietly(other, destination, "1")
    assert publish_quietly(model, destination) == f"{destination}/1"


def test_a_version_that_was_changed_is_refused(model: Path, tmp_path: Path) -> None:
    version = Path(publish_quietly(model, tmp_path / "digits"))
    config = version / "pipeline.config"
    before = config.read_text()
    config.write_text(before.replace("num_steps: 6", "num_steps: 7"))
    ended = boxtune("publish", version, tmp_path / "again")
    assert ended.code == 2
    assert f"{config}: was changed since it was published" in ended.reason
    config.unlink()
    with pytest.raises(InputError, match=r"missing, though manifest\.json lists it"):
        open_model(str(version))
    (version / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="is not the manifest of a published model"):
        open_model(str(version))


def test_what_cannot_be_published(model: Path, tmp_path: Path) -> None:
    ended = boxtune("publish", model, tmp_path / "digits")
    assert ended.code == 2
    assert "not exported yet; boxtune export" in ended.reason
    (tmp_path / "file").write_text("")
    ended = boxtune("publish", model, tmp_path / "file", "--without-exports")
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) <= 2
    record = model / "seed-3" / "trial.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "seed": None}))
    ended = boxtune("publish", model, tmp_path / "digits", "--without-exports")
    assert ended.code == 2
    assert "nobody could make it again; boxtune train" in ended.reason
    assert not (tmp_path / "digits" / "1" / "manifest.json").exists()


def test_the_card_says_whether_the_search_s_answer_is_confirmed(model: Path, tmp_path: Path) -> None:
    """As far as the training's record knows."""
    file = model / "training.json"
    searched = {**json.loads(file.read_text()), "experiment": "quick-start", "trial": "quick-start-0001"}
    said = "by mAP on the test split quick-start-0001 is better by 0.041 (0.012 to 0.070)"
    for version, confirmation in (("1", ""), ("2", said)):
        file.write_text(json.dumps({**searched, "confirmation": confirmation}))
        card = (Path(publish_quietly(model, tmp_path / "digits", version)) / "MODEL_CARD.md").read_text()
        assert ("Not confirmed: " in card) == (not confirmation)
        assert (f"Confirmed by fresh trainings, with a 90% interval: {said}." in card) == bool(confirmation)
