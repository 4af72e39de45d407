"""Profiles of the property tests: a few fixed examples in `scripts/test`, as many as time allows in `scripts/fuzz`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.fuzz import verdicts

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile(
    "fixed", max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=_SLOW
)
settings.register_profile(
    "long",
    max_examples=int(os.environ.get("BOXTUNE_FUZZ_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=_SLOW,
    phases=(Phase.reuse, Phase.generate, Phase.shrink),
    print_blob=True,
)
settings.load_profile("long" if "BOXTUNE_FUZZ" in os.environ else "fixed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the number of executions where `scripts/fuzz` adds them up."""
    folder = os.environ.get("BOXTUNE_FUZZ")
    if folder and verdicts.executions:
        with (Path(folder) / f"{os.getpid()}.count").open("a") as file:
            file.writelines(f"{name} {count}\n" for name, count in sorted(verdicts.executions.items()))
