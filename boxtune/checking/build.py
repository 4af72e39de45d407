"""`--build`: every model that the space can name, built by the API in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boxtune.checking.config import ConfigCheck
from boxtune.problems import Problem, error

_PASSED_ON = ("--fragments", "--checkpoint_for")


def build_problems(config: ConfigCheck) -> Iterator[Problem]:
    """An error for each combination that `python -m trial_entry build` cannot build."""
    base = config.base_text()
    if base is None:
        return
    with tempfile.TemporaryDirectory(prefix="boxtune-build-") as name:
        folder = Path(name)
        (folder / "pipeline.config").write_text(base[0], encoding="utf-8")
        cases = list(config.combinations())
        assigned = [config.assigned(case) for case in cases]
        (folder / "cases.json").write_text(json.dumps(assigned), encoding="utf-8")
        more = [text for text in config.arguments(cases[0]) if text.startswith(_PASSED_ON)]
        arguments = (f"--pipeline_config_path={folder}/pipeline.config", f"--model_dir={folder}")
        done = subprocess.run(
            [sys.executable, "-m", "trial_entry", "build", *arguments, f"--cases={folder}/cases.json", *more],
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
        results: list[dict[str, Any]] = json.loads(built.read_text(encoding="utf-8"))
    for case, result in zip(cases, results, strict=True):
        if result["error"]:
            values = ", ".join(f"{name} {value}" for name, value in case.items())
            yield error(config.where, f"{result['error']} (with {values})", "", "every such trial fails")
