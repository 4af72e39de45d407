"""Pipelines on the real Kubeflow Pipelines, their searches by the real Katib: from annotations to a model that detects;
what is cached; a pod that is killed; a run that is ended; what is refused.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.local.reading import open_run
from tests.conftest import QUICK_START, REPOSITORY
from tests.e2e.kubectl import kubectl, kubectl_json, wait_for
from tests.e2e.pipeline_store import BUCKET, store_reached
from tests.experiments import BOXTUNE
from tests.pipelines.annotated import write_annotated
from tests.pipelines.outcomes import detects, is_complete
from trial_entry.storage import objects
from trial_entry.storage.folders import download_folder, upload_folder

NAMESPACE = "kubeflow"
HOST = "KF_PIPELINES_ENDPOINT"
PLACE = f"{BUCKET}/boxtune-e2e"
EXPERIMENT, CONFIG = QUICK_START.with_suffix(".yaml"), QUICK_START / "pipeline.config"
SHORT = ("-p", "num_steps=4", "-p", 'formats=["saved_model"]', "-p", "memory=3Gi")
CACHED = re.compile(r"^([-\w]+): succeeded, as an earlier run has it$", re.MULTILINE)
DONE = re.compile(r"^([-\w]+): succeeded after", re.MULTILINE)


@pytest.fixture(scope="module")
def kfp(katib: None) -> None:
    """Kubeflow Pipelines answers, and has what manifests/pipelines gives it."""
    if HOST not in os.environ:
        pytest.skip(f"no Kubeflow Pipelines: {HOST} does not say where its API is")
    kubectl("apply", "-k", str(REPOSITORY / "manifests" / "pipelines"))
    kubectl("label", "namespace", NAMESPACE, "katib.kubeflow.org/metrics-collector-injection=enabled", "--overwrite")


@pytest.fixture
def command(kfp: None, pipeline_image: str) -> list[str]:
    return [*BOXTUNE, "pipeline", "submit", "--image", pipeline_image]


@pytest.fixture
def store() -> Iterator[None]:
    with store_reached():
        yield


@pytest.fixture
def trials(image: str) -> list[str]:
    """That they run in the image that was built."""
    return ["-p", f"trial_image={image}"]


def submit(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def run_id(output: str) -> str:
    found = re.search(r"^run ([-0-9a-f]+): http", output, re.MULTILINE)
    assert found is not None, output
    return found.group(1)


def address(process: subprocess.Popen[str], printed: Callable[[], str]) -> str:
    """The run's id, once it is said."""

    def found() -> str:
        assert process.poll() is None, printed()
        return run_id(printed()) if "run " in printed() else ""

    return str(wait_for("the run's address", found, 120))


def workflow_of(run: str) -> str:
    """Argo's, once it is there."""

    def found() -> str:
        label = f"pipeline/runid={run}"
        return "".join(
            each["metadata"]["name"] for each in kubectl_json("get", "workflows", "-n", NAMESPACE, "-l", label)["items"]
        )

    return str(wait_for("the run's Workflow", found, 120))


def experiments_of(workflow: str) -> list[str]:
    names = [each["metadata"]["name"] for each in kubectl_json("get", "experiments", "-n", NAMESPACE)["items"]]
    return [name for name in names if name.startswith(workflow)]


def running_step(workflow: str) -> str:
    """The pod of the step that runs."""
    found = kubectl_json("get", "pods", "-n", NAMESPACE, "-l", f"workflows.argoproj.io/workflow={workflow}")["items"]
    names = [each["metadata"]["name"] for each in found if each["status"]["phase"] == "Running"]
    return next((name for name in names if "container-impl" in name), "")


def artifacts(pipeline: str, run: str, folder: Path) -> Path:
    """All that a run left in the object store: STEP/ID/ARTIFACT."""
    assert download_folder(f"s3://{BUCKET}/v2/artifacts/{pipeline}/{run}", folder)
    return folder


def the(pattern: str, folder: Path) -> Path:
    found = sorted(folder.glob(pattern))
    assert len(found) == 1, (pattern, sorted(folder.glob("*/*/*")))
    return found[0]


def started(command: list[str], *arguments: str) -> tuple[subprocess.Popen[str], Callable[[], str]]:
    """The command as it runs, and what it has printed so far."""
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        lines.extend(iter(process.stdout.readline, ""))

    threading.Thread(target=read, daemon=True).start()
    return process, lambda: "".join(lines)


def small_experiment(annotations: Path, images: Path, folder: Path) -> Path:
    """The Experiment that an import of these writes, for a node of two cores without a GPU."""
    arguments = [
        "data",
        "import",
        str(annotations),
        "--images",
        str(images),
        "--config",
        str(CONFIG),
        "--group",
        "none",
    ]
    done = subprocess.run([*BOXTUNE, *arguments, "--out", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    file = folder / "experiment.yaml"
    text = re.sub(r"requests: \{cpu: .*?\}", "requests: {cpu: 200m, memory: 1Gi}", file.read_text())
    file.write_text(re.sub(r"\n *nvidia.com/gpu: 1(?=\n)", "", text))
    return file


def test_from_annotations_to_a_model_though_the_search_s_pod_is_killed(
    command: list[str], trials: list[str], store: None, tmp_path: Path
) -> None:
    make_digits(tmp_path / "digits", DigitsSpec(train_images=64, validation_images=24, test_images=24))
    file, images = write_annotated(tmp_path / "digits", tmp_path / "annotated")
    upload_folder(file.parent, f"s3://{PLACE}/annotated")
    places = [f"--annotations=minio://{PLACE}/annotated/{file.name}", f"--images=minio://{PLACE}/annotated/images"]
    experiment = small_experiment(file, images, tmp_path / "imported")
    given = ["--config", str(CONFIG), "--experiment", str(experiment), *places, *SHORT, *trials]
    given += ["-p", "max_trials=2", "-p", "group=none"]
    process, printed = started(command, "import_tune_and_train", *given)
    run = address(process, printed)
    workflow = workflow_of(run)
    wait_for("the Experiment", lambda: experiments_of(workflow))
    kubectl("delete", "pod", running_step(workflow), "-n", NAMESPACE, "--wait=false")
    process.wait(timeout=1200)
    assert process.returncode == 0, printed()
    assert f"{run} succeeded" in printed()
    assert len(experiments_of(workflow)) == 1

    left = artifacts("import-tune-and-train", run, tmp_path / "left")
    is_complete(the("evaluate/*/page", left))
    is_complete(the("report/*/page", left))
    search = open_run(the("search/*/run", left))
    assert search.optimal is not None
    assert len(search.trials) == 2
    version = the("publish/*/published", left)
    detects(version, next(images.glob("test-*")), tmp_path / "predicted")


def test_the_same_again_is_cached_and_changed_data_are_not(command: list[str], store: None, tmp_path: Path) -> None:
    data = f"{PLACE}/changing"
    make_digits(tmp_path / "digits", DigitsSpec(train_images=64, validation_images=24, test_images=24))
    upload_folder(tmp_path / "digits", f"s3://{data}")
    given = ("train_only", "--config", str(CONFIG), f"--data=minio://{data}", *SHORT)
    first = submit(command, *given)
    assert first.returncode == 0, first.stdout + first.stderr
    again = submit(command, *given)
    assert again.returncode == 0, again.stderr
    assert set(CACHED.findall(again.stdout)) == {"check-data", "train-config", "evaluate", "export"}
    assert set(DONE.findall(again.stdout)) == {"digests", "publish"}
    make_digits(tmp_path / "others", DigitsSpec(train_images=65, validation_images=24, test_images=24))
    upload_folder(tmp_path / "others", f"s3://{data}")
    changed = submit(command, *given)
    assert changed.returncode == 0, changed.stderr
    assert not CACHED.findall(changed.stdout)


def test_a_run_that_is_ended_leaves_no_experiment_once_its_workflow_is_gone(
    command: list[str], trials: list[str], demo_in_store: str
) -> None:
    given = ["--experiment", str(EXPERIMENT), f"--data={demo_in_store}", *trials, "-p", "max_trials=8"]
    done = submit(command, "tune_and_train", *given, "--no-wait")
    assert done.returncode == 0, done.stderr
    run = run_id(done.stdout)
    workflow = workflow_of(run)
    wait_for("the Experiment", lambda: experiments_of(workflow))
    from kfp.client import Client

    Client(host=os.environ[HOST]).terminate_run(run)
    wait_for("the search's pod is gone", lambda: not running_step(workflow), 120)
    assert experiments_of(workflow)  # nobody told it
    kubectl("delete", "workflow", workflow, "-n", NAMESPACE)
    wait_for("the Experiment is gone", lambda: not experiments_of(workflow), 60)


def test_a_search_within_its_step_goes_on_after_its_pod_was_killed(
    command: list[str], demo_in_store: str, store: None, tmp_path: Path
) -> None:
    given = ["--experiment", str(EXPERIMENT), f"--data={demo_in_store}", *SHORT, "-p", "engine=local"]
    process, printed = started(command, "tune_and_train", *given, "-p", "max_trials=3")
    run = address(process, printed)
    workflow = workflow_of(run)
    kept = f"s3://{BUCKET}/v2/artifacts/tune-and-train/{run}/boxtune-searches"
    wait_for("an ended trial", lambda: [each for each in objects.list_below(kept) if each.file_name == "metrics.json"])
    kubectl("delete", "pod", running_step(workflow), "-n", NAMESPACE, "--grace-period=0", "--force")
    process.wait(timeout=1200)
    assert process.returncode == 0, printed()
    search = open_run(the("search/*/run", artifacts("tune-and-train", run, tmp_path / "left")))
    assert len(search.trials) == 3
    assert len(search.everything[0].attempts) == 1  # the first was not done again


def test_what_is_refused_is_said_in_one_line(command: list[str], demo_in_store: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(EXPERIMENT.read_text().replace("objectiveMetricName: mAP\n", "objectiveMetricName: mAQ\n"))
    done = submit(command, "tune_and_train", "--experiment", str(file), f"--data={demo_in_store}")
    assert done.returncode == 3
    assert "digests: failed" in done.stdout
    assert "search" not in done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith("boxtune: the run failed: the Experiment is refused: line ")
    nowhere = submit(command, "tune_and_train", "--experiment", str(EXPERIMENT), f"--data=minio://{BUCKET}/nowhere")
    assert nowhere.returncode == 3
    assert f"{BUCKET}/nowhere" in nowhere.stderr.splitlines()[-1]
