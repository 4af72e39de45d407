"""`--build`: every model that the space can name, built by the API in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from boxtune.checking.config import ConfigCheck
from boxtune.experiment.trial_config import TrialArguments
from boxtune.problems import Problem, error
from trial_entry.pipeline_config.text import config_text


def build_problems(config: ConfigCheck) -> Iterator[Problem]:
    """An error for each combination that `python -m trial_entry build` cannot build."""
    trials = config.trials()
    if trials is None or trials.base is None:
        return
    with tempfile.TemporaryDirectory(prefix="boxtune-build-") as name:
        folder = Path(name)
        (folder / "pipeline.config").write_text(config_text(trials.base.config), encoding="utf-8")
        cases = list(config.combinations())
        given = [trials.arguments(case) for case in cases]
        assigned = [{each.name: each.value for each in one.assignments} for one in given]
        (folder / "cases.json").write_text(json.dumps(assigned), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "trial_entry", "build", *_arguments(folder, given[0])],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},  # building needs no GPU, and others may use it
        )
        built = folder / "build.json"
        if not built.exists():
            said = done.stderr.strip().splitlines()
            yield error("", f"the models could not be built: {said[-1] if said else done.returncode}")
            return
        results = json.loads(built.read_text(encoding="utf-8"))
    for case, result in zip(cases, results, strict=True):
        if result["error"]:
            values = ", ".join(f"{name} {value}" for name, value in case.items())
            yield error(config.where, f"{result['error']} (with {values})", "", "every such trial fails")


def _arguments(folder: Path, given: TrialArguments) -> list[str]:
    return [
        f"--pipeline_config_path={folder}/pipeline.config",
        f"--model_dir={folder}",
        f"--cases={folder}/cases.json",
        *(f"--fragments={place}" for place in given.fragments),
        *(f"--checkpoint_for={name}={prefix}" for name, prefix in given.checkpoints.items()),
    ]
