"""The complete files beside the experiments' folders: kustomize's own, where it is installed, as the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from boxtune.checking.check import CheckOptions, check
from tests.conftest import EXPERIMENTS

FOLDERS = sorted(file.parent for file in EXPERIMENTS.glob("*/kustomization.yaml") if file.parent.name != "base")
COMPONENTS = sorted(file.parent for file in (EXPERIMENTS.parent / "components").glob("*/kustomization.yaml"))
KUSTOMIZE = next(([tool, *how] for tool, how in (("kustomize", ["build"]), ("kubectl", ["kustomize"]))
                  if shutil.which(tool)), None)  # fmt: skip


@pytest.mark.skipif(KUSTOMIZE is None, reason="neither kustomize nor kubectl is installed")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_file_is_what_kustomize_builds(folder: Path) -> None:
    assert KUSTOMIZE is not None
    built = subprocess.run([*KUSTOMIZE, str(folder)], capture_output=True, text=True, check=True).stdout
    theirs, ours = (
        sorted(yaml.safe_load_all(text), key=lambda each: str(each["kind"]))
        for text in (built, folder.with_suffix(".yaml").read_text())
    )
    assert theirs == ours


@pytest.mark.skipif(KUSTOMIZE is None, reason="neither kustomize nor kubectl is installed")
@pytest.mark.parametrize("component", COMPONENTS, ids=lambda folder: folder.name)
def test_each_component_fits_and_leaves_an_experiment_that_is_right(component: Path, tmp_path: Path) -> None:
    for folder in (EXPERIMENTS / "random-search", EXPERIMENTS / "feature-extractor"):
        kustomization = {
            "resources": [os.path.relpath(folder, tmp_path)],
            "components": [os.path.relpath(component, tmp_path)],
        }
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        assert KUSTOMIZE is not None
        built = subprocess.run([*KUSTOMIZE, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        plain = folder.with_suffix(".yaml").read_text()
        assert sorted(yaml.safe_load_all(built), key=str) != sorted(yaml.safe_load_all(plain), key=str)
        file = tmp_path / "experiment.yaml"
        file.write_text(built)
        assert not [each for each in check(file, CheckOptions()) if each.severity == "error"]
