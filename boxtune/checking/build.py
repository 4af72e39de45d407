"""`--build`: every model that the space can name, built by the API in one process."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from boxtune.checking.config import ConfigCheck
from boxtune.problems import Problem, error
from trial_entry.contract.files import BUILD_FILE, CONFIG_FILE
from trial_entry.contract.records import read_build
from trial_entry.contract.requests import PROGRAM, BuildRequest, TrainRequest
from trial_entry.pipeline_config.text import config_text

_CASES_FILE = "cases.json"


def build_problems(config: ConfigCheck) -> Iterator[Problem]:
    """An error for each combination that `python -m trial_entry build` cannot build."""
    trials = config.trials()
    if trials is None or trials.base is None:
        return
    with tempfile.TemporaryDirectory(prefix="boxtune-build-") as name:
        folder = Path(name)
        (folder / CONFIG_FILE).write_text(config_text(trials.base.config), encoding="utf-8")
        cases = list(config.combinations())
        given = [trials.arguments(case) for case in cases]
        assigned = [{each.name: each.value for each in one.assignments} for one in given]
        (folder / _CASES_FILE).write_text(json.dumps(assigned), encoding="utf-8")
        done = subprocess.run(
            [*PROGRAM, *_request(folder, given[0]).argv()],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},  # building needs no GPU, and others may use it
        )
        built = folder / BUILD_FILE
        if not built.exists():
            said = done.stderr.strip().splitlines()
            yield error("", f"the models could not be built: {said[-1] if said else done.returncode}")
            return
        results = read_build(built)
    for case, result in zip(cases, results, strict=True):
        if result.error is not None:
            values = ", ".join(f"{name} {value}" for name, value in case.items())
            yield error(config.where, f"{result.error} (with {values})", "", "every such trial fails")


def _request(folder: Path, given: TrainRequest) -> BuildRequest:
    return BuildRequest(
        pipeline_config_path=folder / CONFIG_FILE,
        model_dir=folder,
        cases=folder / _CASES_FILE,
        fragments=given.fragments,
        checkpoint_for=given.checkpoint_for,
    )
