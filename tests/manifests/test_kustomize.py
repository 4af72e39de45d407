"""The complete files beside the experiments' folders: kustomize's own, where it is installed, as the oracle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import EXPERIMENTS

FOLDERS = sorted(file.parent for file in EXPERIMENTS.glob("*/kustomization.yaml") if file.parent.name != "base")
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
