"""`build`: the models that assignments make, built and not trained."""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Sequence
from typing import Any

from trial_entry.arguments import surroundings_of
from trial_entry.commands.guard import out_of_memory_as_error
from trial_entry.detection.model import build_model
from trial_entry.detection.runtime import autograph, forget_models, start_runtime
from trial_entry.errors import EXIT_MEASURED, ConfigError, RequestError
from trial_entry.model_dir import write_atomically
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.pipeline_config.checks import check_model
from trial_entry.pipeline_config.render import Assignment, assign
from trial_entry.pipeline_config.text import read_config

BUILD_FILE = "build.json"
_LOG = logging.getLogger(__name__)
_ANY_NUMBER = 1000  # of training examples: epochs do not change a model


def build(arguments: argparse.Namespace) -> int:
    """Build one model for each case of the arguments; see `trial_entry.arguments`.

    Raises:
        RequestError: a case cannot be built; all were tried, and MODEL_DIR/build.json says which.
    """
    cases = _cases(arguments)
    surroundings = surroundings_of(arguments, lambda config: _ANY_NUMBER)
    strategy, results = start_runtime(seed=0, deterministic=False), []
    for number, case in enumerate(cases, start=1):
        _LOG.info("building model %d of %d", number, len(cases))
        results.append(_build(arguments, [*arguments.assignments, *case], surroundings, strategy))
        forget_models()
    arguments.model_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(arguments.model_dir / BUILD_FILE, json.dumps(results, indent=1) + "\n")
    failed = next((result["error"] for result in results if result["error"]), None)
    if failed is not None:
        raise RequestError(failed)
    return EXIT_MEASURED


def _cases(arguments: argparse.Namespace) -> list[list[Assignment]]:
    if arguments.cases is None:
        return [[]]
    try:
        read = json.loads(arguments.cases.read_text(encoding="utf-8"))
        return [[Assignment(str(name), str(value)) for name, value in case.items()] for case in read]
    except (OSError, ValueError, AttributeError, TypeError):
        raise ConfigError(f"{arguments.cases}: not a JSON list of objects with assignments") from None


def _build(
    arguments: argparse.Namespace, assignments: Sequence[Assignment], surroundings: Surroundings, strategy: Any
) -> dict[str, Any]:
    """What became of one case."""
    result: dict[str, Any] = {"assignments": {each.name: each.value for each in assignments}, "error": None}
    started = time.perf_counter()
    try:
        config = read_config(arguments.pipeline_config_path)
        assign(config, assignments, surroundings)
        check_model(config, str(arguments.pipeline_config_path))
        with out_of_memory_as_error(), autograph(False):
            built = build_model(config, strategy)
        result["weights"] = sum(int(variable.shape.num_elements()) for variable in built.model.trainable_variables)
    except RequestError as error:
        result["error"] = str(error)
    result["seconds"] = round(time.perf_counter() - started, 2)
    return result
