"""The command `build`: the models that assignments make, built and not trained."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.contract.arguments import Assignment
from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.files import BUILD_FILE
from trial_entry.contract.json_records import to_json
from trial_entry.contract.records import BuildRecord
from trial_entry.contract.requests import BuildRequest
from trial_entry.detection.model import build_model
from trial_entry.detection.runtime import autograph, forget_models, start_runtime
from trial_entry.errors import ConfigError, RequestError
from trial_entry.model_dir import write_json
from trial_entry.pipeline_config.base_config import BaseConfig, some_examples
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.inputs import resolve_model_paths
from trial_entry.storage.paths import local_folders

if TYPE_CHECKING:
    from tensorflow.distribute import Strategy

_LOG = logging.getLogger(__name__)


def build(request: BuildRequest) -> int:
    """Build one model for each case of the request; returns the exit code.

    Raises:
        RequestError: a case cannot be built; all were tried, and MODEL_DIR/build.json says which.
    """
    cases = _cases(request.cases)
    base = BaseConfig.read(request.pipeline_config_path)
    base = base.given(Fragments(local_folders(request.fragments)), request.checkpoints, some_examples)
    strategy, results = start_runtime(seed=0, deterministic=False), []
    for number, case in enumerate(cases, start=1):
        _LOG.info("building model %d of %d", number, len(cases))
        results.append(_build(base, [*request.assignments, *case], strategy))
        forget_models()
    request.model_dir.mkdir(parents=True, exist_ok=True)
    write_json(request.model_dir / BUILD_FILE, [to_json(result) for result in results])
    failed = next((result.error for result in results if result.error is not None), None)
    if failed is not None:
        raise RequestError(failed)
    return EXIT_MEASURED


def _cases(file: Path | None) -> list[list[Assignment]]:
    if file is None:
        return [[]]
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        return [[Assignment(str(name), str(value)) for name, value in case.items()] for case in read]
    except (OSError, ValueError, AttributeError, TypeError):
        raise ConfigError(f"{file}: not a JSON list of objects with assignments") from None


def _build(base: BaseConfig, assignments: Sequence[Assignment], strategy: Strategy) -> BuildRecord:
    """What became of one case."""
    error, weights, started = None, None, time.perf_counter()
    try:
        config = base.model(assignments)
        with out_of_memory_as_error(), autograph(False):
            resolve_model_paths(config, base.folder)
            built = build_model(config, strategy)
        weights = sum(int(variable.shape.num_elements()) for variable in built.model.trainable_variables)
    except RequestError as wrong:
        error = str(wrong)
    seconds = round(time.perf_counter() - started, 2)
    return BuildRecord({each.name: each.value for each in assignments}, error, weights, seconds)
