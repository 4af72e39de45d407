"""The complete files beside the experiments' folders: kustomize's own, where it is installed, as the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from boxtune.checking.check import CheckOptions, check
from boxtune.experiment.loading import load_experiment
from boxtune.experiment.trial_command import TrialCommand
from tests.conftest import EXPERIMENTS

FOLDERS = sorted(file.parent for file in EXPERIMENTS.glob("*/kustomization.yaml") if file.parent.name != "base")
COMPONENTS = sorted(file.parent for file in (EXPERIMENTS.parent / "components").glob("*/kustomization.yaml"))
KUSTOMIZE = next(([tool, *how] for tool, how in (("kustomize", ["build"]), ("kubectl", ["kustomize"]))
                  if shutil.which(tool)), None)  # fmt: skip
NEEDS_KUSTOMIZE = pytest.mark.skipif(KUSTOMIZE is None, reason="neither kustomize nor kubectl is installed")


@NEEDS_KUSTOMIZE
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_file_is_what_kustomize_builds(folder: Path) -> None:
    assert KUSTOMIZE is not None
    built = subprocess.run([*KUSTOMIZE, str(folder)], capture_output=True, text=True, check=True).stdout
    theirs, ours = (
        sorted(yaml.safe_load_all(text), key=lambda each: str(each["kind"]))
        for text in (built, folder.with_suffix(".yaml").read_text())
    )
    assert theirs == ours


@NEEDS_KUSTOMIZE
@pytest.mark.parametrize("component", COMPONENTS, ids=lambda folder: folder.name)
def test_each_component_fits_and_leaves_an_experiment_that_is_right(component: Path, tmp_path: Path) -> None:
    for folder in (EXPERIMENTS / "random-search", EXPERIMENTS / "feature-extractor"):
        file = built(tmp_path, folder, [component])
        plain = folder.with_suffix(".yaml").read_text()
        assert sorted(yaml.safe_load_all(file.read_text()), key=str) != sorted(yaml.safe_load_all(plain), key=str)
        assert not [each for each in check(file, CheckOptions()) if each.severity == "error"]


@NEEDS_KUSTOMIZE
@pytest.mark.parametrize("backwards", [False, True])
def test_components_fit_each_other_in_any_order(backwards: bool, tmp_path: Path) -> None:
    file = built(tmp_path, EXPERIMENTS / "random-search", sorted(COMPONENTS, reverse=backwards))
    assert not [each for each in check(file, CheckOptions()) if each.severity == "error"]
    pod = TrialCommand(load_experiment(file)).pod
    assert len(pod["tolerations"]) == 4
    assert {each["image"] for each in (*pod["containers"], *pod["initContainers"])} == {"boxtune-trial:0.1.0-cpu"}
    by_name = {each["name"]: each for each in pod["volumes"]}
    assert by_name["data"] == {"name": "data", "emptyDir": {}}
    assert by_name["data-source"]["persistentVolumeClaim"]["claimName"] == "boxtune-data"
    assert by_name["model"]["persistentVolumeClaim"]["claimName"] == "boxtune-models"


def built(folder: Path, experiment: Path, components: Sequence[Path]) -> Path:
    """The Experiment with these components, by kustomize, as a file in `folder`."""
    kustomization = {
        "resources": [os.path.relpath(experiment, folder)],
        "components": [os.path.relpath(component, folder) for component in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    assert KUSTOMIZE is not None
    file = folder / "experiment.yaml"
    file.write_text(subprocess.run([*KUSTOMIZE, str(folder)], capture_output=True, text=True, check=True).stdout)
    return file
