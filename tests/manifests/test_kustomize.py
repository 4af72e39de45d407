"""The complete files beside the experiments' folders: kustomize's own, where it is installed, as the oracle."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from boxtune.checking.check import CheckOptions, check
from boxtune.experiment.loading import load_experiment
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
    job = load_experiment(file).template.job
    assert job is not None
    pod = job.pod
    assert len(pod.tolerations or ()) == 4
    images = {each.image for each in (*pod.containers, *(pod.init_containers or ()))}
    assert images == {f"boxtune-trial:{version('boxtune')}-cpu"}
    by_name = {each.name: each for each in pod.volumes or ()}
    assert by_name["data"].empty_dir is not None
    claims = {name: each.persistent_volume_claim for name, each in by_name.items()}
    assert claims["data"] is None
    assert {name: claim.claim_name for name, claim in claims.items() if claim is not None} == {
        "data-source": "boxtune-data",
        "model": "boxtune-models",
    }


@NEEDS_KUSTOMIZE
def test_what_pipelines_need_goes_into_one_namespace_and_creates_no_config_map() -> None:
    assert KUSTOMIZE is not None
    folder = EXPERIMENTS.parent / "pipelines"
    built = subprocess.run([*KUSTOMIZE, str(folder)], capture_output=True, text=True, check=True).stdout
    made = list(yaml.safe_load_all(built))
    assert {each["metadata"]["namespace"] for each in made} == {"kubeflow"}
    roles = {each["metadata"]["name"]: each["rules"] for each in made if each["kind"] == "Role"}
    verbs = {
        (group, resource): set(rule["verbs"])
        for rule in roles["boxtune-pipeline"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert verbs["", "configmaps"] == {"get"}
    assert verbs["", "secrets"] == {"get"}
    bound = {each["roleRef"]["name"]: each["subjects"] for each in made if each["kind"] == "RoleBinding"}
    accounts = {each["metadata"]["name"] for each in made if each["kind"] == "ServiceAccount"} | {"pipeline-runner"}
    assert {name for subjects in bound.values() for name in [each["name"] for each in subjects]} <= accounts
    (job,) = (each for each in made if each["kind"] == "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == bound["boxtune-cancel-stale"][0]["name"]


@pytest.mark.parametrize(
    "file", sorted(EXPERIMENTS.parent.glob("*/*/kustomization.yaml")), ids=lambda file: file.parent.name
)
def test_what_is_patched_by_its_place_is_named(file: Path) -> None:
    """A list's element is patched by its number alone: JSON 6902 knows no names. So its name is tested first."""
    for patch in yaml.safe_load(file.read_text()).get("patches") or ():
        tested: set[str] = set()
        for operation in yaml.safe_load(patch["patch"]):
            path = operation["path"]
            if operation["op"] == "test":
                tested.add(path.removesuffix("/name"))
                continue
            parts = path.split("/")
            elements = ["/".join(parts[: place + 1]) for place, part in enumerate(parts) if part.isdigit()]
            assert set(elements) <= tested, f"{path} is patched, and nothing says what it is"


def test_our_images_are_of_this_version() -> None:
    for file in EXPERIMENTS.parent.rglob("*.yaml"):
        for found in re.findall(r"boxtune-(?:trial|pipeline):([\w.]+)|newTag: ([\d.]+)", file.read_text()):
            assert "".join(found) == version("boxtune"), file


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
