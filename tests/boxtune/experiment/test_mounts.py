"""A pod's volumes as folders, and its paths as paths into them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import parse_experiment
from boxtune.experiment.mounts import Volumes, map_paths
from boxtune.experiment.trial_command import TrialCommand
from tests.experiments import container, shell_experiment


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("/data", "/here"),
        ("/data/train.record", "/here/train.record"),
        ("--in=/data/a,/data/b", "--in=/here/a,/here/b"),
        ("--in '/data/a'", "--in '/here/a'"),
        ("a:/data:/data/b", "a:/here:/here/b"),
        ("--in=C:/data/a", "--in=C:/data/a"),
        ("gs://data/a", "gs://data/a"),
        ("gs://bucket/data/a", "gs://bucket/data/a"),
        ("/database", "/database"),
        ("/old/data", "/old/data"),
        ("/data/deep/x", "/deep/x"),
        ("x/data", "x/data"),
    ],
)
def test_mount_paths_are_replaced_only_where_a_path_starts(text: str, after: str) -> None:
    mounts = {PurePosixPath("/data"): Path("/here"), PurePosixPath("/data/deep"): Path("/deep")}
    assert map_paths(text, mounts) == after


MOUNTED = {"name": "data", "mountPath": "/data", "subPath": "sub"}


def command(mount: dict[str, str] = MOUNTED, **source: Any) -> TrialCommand:
    """A trial whose pod has the volume "data" of this source."""
    return command_of(mount, volumes=[{"name": "data", **source}])


def command_of(mount: dict[str, str], **pod: Any) -> TrialCommand:
    """A trial whose pod has these fields."""
    experiment = shell_experiment()
    container(experiment)["volumeMounts"] = [mount]
    experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"].update(pod)
    return TrialCommand(parse_experiment(experiment, {}).template)


def test_volumes_become_folders(tmp_path: Path) -> None:
    claim = {"claimName": "drones"}
    for name in ("data", "drones"):
        volumes = Volumes(command(persistentVolumeClaim=claim), {name: tmp_path}, {})
        assert volumes.mounts(tmp_path) == {PurePosixPath("/data"): tmp_path / "sub"}
    empty = Volumes(command(emptyDir={}), {}, {}).mounts(tmp_path / "trial")
    assert empty == {PurePosixPath("/data"): tmp_path / "trial" / "volumes" / "data" / "sub"}
    source = {"name": "c", "items": [{"key": "k", "path": "p/q"}]}
    whole = {"name": "data", "mountPath": "/c"}
    folder = Volumes(command(whole, configMap=source), {}, {"c": {"k": "text"}}).mounts(tmp_path)[PurePosixPath("/c")]
    assert (folder / "p" / "q").read_text() == "text"


@pytest.mark.parametrize(
    ("source", "given", "says"),
    [
        ({"persistentVolumeClaim": {"claimName": "drones"}}, {}, "volume data is the claim drones; say which folder"),
        ({"nfs": {"server": "s", "path": "/"}}, {}, "volume data is a volume of kind nfs"),
        ({"configMap": {"name": "c"}}, {}, "the ConfigMap c is not in the file"),
        ({"emptyDir": {}}, {"other": Path("/tmp")}, "the pod has no such volume; it has data"),
        ({"emptyDir": {}}, {"data": Path("/nowhere")}, "no such folder"),
    ],
)
def test_a_volume_without_a_folder_is_named(source: Any, given: dict[str, Path], says: str) -> None:
    with pytest.raises(ExperimentError, match=says):
        Volumes(command(**source), given, {})


def test_a_volume_that_another_container_fills_needs_a_folder_and_one_that_only_others_mount_none(
    tmp_path: Path,
) -> None:
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("source", "data")]
    cached = command_of(
        MOUNTED,
        volumes=[
            {"name": "data", "emptyDir": {}},
            {"name": "source", "persistentVolumeClaim": {"claimName": "drones"}},
        ],
        initContainers=[{"name": "copy", "volumeMounts": mounts}],
    )
    with pytest.raises(ExperimentError, match="volume data is filled by the container copy"):
        Volumes(cached, {}, {})
    assert Volumes(cached, {"data": tmp_path}, {}).mounts(tmp_path) == {PurePosixPath("/data"): tmp_path / "sub"}


@pytest.mark.parametrize("path", ["../out", "/out", "a/../../out", ""])
def test_a_config_map_s_file_stays_in_its_volume(tmp_path: Path, path: str) -> None:
    source = {"name": "c", "items": [{"key": "k", "path": path}]}
    with pytest.raises(ExperimentError, match="must be a path within the volume"):
        Volumes(command(configMap=source), {}, {"c": {"k": "text"}}).mounts(tmp_path)


def test_a_sub_path_stays_in_its_volume(tmp_path: Path) -> None:
    mount = {"name": "data", "mountPath": "/data", "subPath": "../other"}
    with pytest.raises(ExperimentError, match=r"subPath \.\./other must be a path within the volume"):
        Volumes(command(mount, emptyDir={}), {}, {}).mounts(tmp_path)


def test_files_that_cannot_lie_beside_each_other_are_named(tmp_path: Path) -> None:
    source = {"name": "c", "items": [{"key": "k", "path": "p"}, {"key": "l", "path": "p/q"}]}
    with pytest.raises(ExperimentError, match="the ConfigMap c: l cannot be written to p/q"):
        Volumes(command(configMap=source), {}, {"c": {"k": "text", "l": "text"}}).mounts(tmp_path)


def test_a_folder_s_name_that_is_too_long_is_no_folder() -> None:
    with pytest.raises(ExperimentError, match="no such folder"):
        Volumes(command(emptyDir={}), {"data": Path("x" * 300)}, {})
