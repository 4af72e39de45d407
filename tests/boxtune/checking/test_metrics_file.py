"""The folder of a File collector's metrics, which is empty in a trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boxtune.checking.check import CheckOptions, check
from tests.experiments import container, shell_experiment, write

P = "${trialParameters.x}"


def said(tmp_path: Path, metrics: str, command: list[str], **held: Any) -> list[str]:
    source = {"fileSystemPath": {"path": metrics, "kind": "File"}}
    experiment = shell_experiment(metricsCollectorSpec={"collector": {"kind": "File"}, "source": source})
    container(experiment).update({"command": command, **held})
    path = write(tmp_path / "experiment.yaml", experiment)
    return [each.what for each in check(path, CheckOptions()) if "empty folder" in each.what]


@pytest.mark.parametrize(
    ("command", "held"),
    [
        (["python3", "/app/train.py", P], {}),
        (["python3", "train.py", P], {"workingDir": "/app"}),
        (["sh", "-c", f"cd /app && python3 src/train.py {P}"], {}),
    ],
)
def test_a_program_in_the_metrics_folder_is_not_there(tmp_path: Path, command: list[str], held: dict[str, Any]) -> None:
    (what,) = said(tmp_path, "/app/metrics.log", command, **held)
    assert what.startswith("Katib mounts an empty folder at /app")
    assert said(tmp_path, "/metrics/metrics.log", command, **held) == []


@pytest.mark.parametrize(
    ("command", "held"),
    [
        (["python3", "/code/train.py", "--log=/app/metrics.log", P], {}),
        (["python3", "train.py", P], {}),
        (["sh", "-c", f"cp /code/train.py /app/ && python3 /app/train.py {P}"], {}),
        (["python3", "/app/code/train.py", P], {"volumeMounts": [{"name": "code", "mountPath": "/app/code"}]}),
    ],
)
def test_what_is_brought_there_is_found(tmp_path: Path, command: list[str], held: dict[str, Any]) -> None:
    assert said(tmp_path, "/app/metrics.log", command, **held) == []
