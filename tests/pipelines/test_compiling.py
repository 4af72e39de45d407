"""What the pipelines compile to: current, the same bytes each time, and what a cluster needs in the right places."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.cli.main import run_command
from boxtune.errors import InputError
from pipelines.compiling import COMPILED, compiled, stale
from pipelines.parameters import arguments, parameters
from pipelines.pipelines import PIPELINES, make
from pipelines.placement import Placement
from tests.experiments import boxtune

NEVER_CACHED = {"digests", "search", "publish"}
WITH_GPU = {"search", "train", "train-config", "evaluate", "export", "report"}
ALL = sorted(PIPELINES)


def documents(name: str, placement: Placement | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline's spec, and what of it is Kubernetes'."""
    spec, platform = yaml.safe_load_all(compiled(name, placement or Placement()))
    return spec, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def tasks(spec: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["root"]["dag"]["tasks"]
    return found


def test_the_files_beside_the_package_are_current() -> None:
    assert stale(PIPELINES, COMPILED, Placement()) == []
    assert sorted(file.stem for file in COMPILED.glob("*.yaml")) == ALL


def test_another_process_elsewhere_compiles_the_same_bytes(tmp_path: Path) -> None:
    code = "import sys; from boxtune.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "pipeline", "compile", "--out", "here"],
        cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    for name in ALL:
        text = (tmp_path / "here" / f"{name}.yaml").read_bytes()
        assert text == (COMPILED / f"{name}.yaml").read_bytes()
        assert b"/work" not in text
        assert str(tmp_path).encode() not in text


def test_a_file_that_is_not_current_is_named(tmp_path: Path) -> None:
    boxtune("pipeline", "compile", "train_only", "--out", tmp_path)
    file = tmp_path / "train_only.yaml"
    assert boxtune("pipeline", "compile", "train_only", "--out", tmp_path, "--check").code == 0
    file.write_text(file.read_text().replace("train-only", "train-more"))
    ended = boxtune("pipeline", "compile", "train_only", "--out", tmp_path, "--check")
    assert ended.code == 2
    assert ended.reason == f"boxtune: not current: {file}; boxtune pipeline compile writes them"


@pytest.mark.parametrize("name", ALL)
def test_what_is_cached_and_what_never_is(name: str) -> None:
    spec, _ = documents(name)
    cached = {task: each["cachingOptions"].get("enableCache", False) for task, each in tasks(spec).items()}
    assert {task for task, is_cached in cached.items() if not is_cached} == NEVER_CACHED & set(cached)
    assert not spec["root"].get("inputDefinitions", {}).get("artifacts")


@pytest.mark.parametrize("name", ALL)
def test_every_cached_step_s_key_follows_data_and_software(name: str) -> None:
    """By texts of the first step: what lies behind a path, or within an image of one tag, is in no cache key."""
    spec, _ = documents(name)
    for task, each in tasks(spec).items():
        given = each["inputs"].get("parameters", {})
        from_digests = {
            value["taskOutputParameter"]["outputParameterKey"]
            for value in given.values()
            if value.get("taskOutputParameter", {}).get("producerTask") == "digests"
        }
        if task not in NEVER_CACHED:
            assert "software" in from_digests
            assert {"data", "sources"} & from_digests


@pytest.mark.parametrize("name", ALL)
def test_gpus_and_nodes_are_parameters_of_the_run(name: str) -> None:
    """The backend reads a resource's parameter as a text: a number would be none."""
    spec, platform = documents(name)
    for task, each in tasks(spec).items():
        executor = f"exec-{task}"
        resources = spec["deploymentSpec"]["executors"][executor]["container"]["resources"]
        if task not in WITH_GPU:
            assert "accelerator" not in resources
            continue
        count = "search_gpus" if task == "search" else "gpus"
        assert resources["accelerator"]["resourceCount"] == f"{{{{$.inputs.parameters['pipelinechannel--{count}']}}}}"
        assert resources["resourceMemoryLimit"] == "{{$.inputs.parameters['pipelinechannel--memory']}}"
        assert spec["root"]["inputDefinitions"]["parameters"][count]["parameterType"] == "STRING"
        assert spec["root"]["inputDefinitions"]["parameters"][count]["defaultValue"] == ""
        given = each["inputs"]["parameters"].values()
        channels = {value["componentInputParameter"] for value in given if "componentInputParameter" in value}
        assert {count, "gpu_type", "memory"} <= channels
        kubernetes = platform[executor]
        assert kubernetes["tolerations"] == [{"tolerationJson": {"componentInputParameter": "tolerations"}}]
        assert kubernetes["nodeSelector"] == {"nodeSelectorJson": {"componentInputParameter": "node_selector"}}


@pytest.mark.parametrize("name", ALL)
def test_image_claims_and_requests_are_decided_when_it_is_compiled(name: str) -> None:
    image = "registry.example/boxtune-pipeline@sha256:" + 64 * "0"
    spec, platform = documents(name, Placement.of(image, {"records": "/data", "published": "/published"}))
    for executor, each in spec["deploymentSpec"]["executors"].items():
        assert each["container"]["image"] == image
        assert float(each["container"]["resources"]["cpuRequest"]) <= 0.5
        mounts = [(mount["constant"], mount["mountPath"]) for mount in platform[executor]["pvcMount"]]
        assert mounts == [("records", "/data"), ("published", "/published")]
        assert platform[executor]["imagePullPolicy"] == "IfNotPresent"
    assert tasks(spec)["digests"]["inputs"]["parameters"]["image"]["runtimeValue"]["constant"] == image


def test_a_search_is_found_again_by_its_run() -> None:
    spec, _ = documents("tune_and_train")
    given = tasks(spec)["search"]["inputs"]["parameters"]
    assert given["workflow"]["runtimeValue"]["constant"] == "{{workflow.name}}"
    assert given["run_id"]["runtimeValue"]["constant"] == "{{$.pipeline_job_uuid}}"


def test_nothing_is_installed_when_a_step_starts() -> None:
    for name in ALL:
        assert "pip install" not in compiled(name, Placement())


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_says_what_it_is(name: str) -> None:
    found = parameters(name)
    assert all(each.about.endswith(".") for each in found)
    assert {each.name for each in found if each.default is None} <= {"experiment", "data", "config", "annotations"}
    assert next(each for each in found if each.name == "seeds").default == 1


def test_values_have_their_parameter_s_type() -> None:
    given = arguments("tune_and_train", ["seeds=3", 'formats=["onnx"]', "gpus=1", 'node_selector={"a": "b"}'])
    assert given == {"seeds": 3, "formats": ["onnx"], "gpus": "1", "node_selector": {"a": "b"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seeds=3.5", 'seeds: "3.5" must be a whole number'),
        ("seeds=true", "must be a whole number"),
        ("formats=onnx", r'formats: "onnx" must be a list as JSON'),
        ("node_selector=[]", "must be an object as JSON"),
        ("sedes=3", "tune_and_train has no such parameter; did you mean seeds"),
        ("seeds", '"seeds": write NAME=VALUE'),
    ],
)
def test_a_value_of_another_type_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        arguments("tune_and_train", [text])


def test_a_pipeline_or_claim_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="tune: no such pipeline; there are tune_and_train, train_only"):
        make("tune", Placement())
    ended = boxtune("pipeline", "compile", "--claim", "records")
    assert (ended.code, ended.reason) == (2, 'boxtune: --claim "records": write NAME=/PATH')


def test_other_commands_do_not_import_kfp() -> None:
    code = "import sys; from boxtune.cli.main import run_command; run_command(['pipeline', '--help']); "
    code += "print('kfp' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("name", ALL)
def test_no_artifact_is_optional(name: str) -> None:
    """KFP's executor makes none on a server, where an artifact arrives without its type (kfp.local has it)."""
    spec, _ = documents(name)
    inputs = [each.get("inputDefinitions", {}).get("artifacts", {}) for each in spec["components"].values()]
    assert any(inputs)
    assert not [artifact for artifacts in inputs for artifact, each in artifacts.items() if each.get("isOptional")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--claim", "A_b=/data"), "a claim has small letters"),
        (("--claim", "a=/"), "hides what the image has in /"),
        (("--claim", "a=/usr/data"), "hides what the image has in /usr"),
        (("--claim", "a=/data", "--claim", "b=/data/"), "two claims at /data"),
        (("--claim", "a=/data", "--claim", "a=/x"), "--claim a: given twice"),
        (("--image", "bad image"), "must be an image's name"),
    ],
)
def test_what_no_pod_could_be_made_of_is_refused(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["pipeline", "compile", "train_only", "--out", str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err
