"""No Experiment's file breaks `boxtune check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import EXPERIMENTS
from tests.faults.test_experiments import CASES
from tests.fuzz.mutations import texts, values
from tests.fuzz.verdicts import verdict

_OWN = [EXPERIMENTS / "random-search.yaml", EXPERIMENTS / "quick-start.yaml"]
SEEDS = [path.read_bytes() for path in (*_OWN, *sorted(CASES.glob("*/*.yaml")))]


class _Dumper(yaml.SafeDumper):
    """Writes lone surrogates and the like as escapes, aliases never."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _documents() -> list[list[Any]]:
    """The seeds that are YAML, as what they say."""
    found = []
    for seed in SEEDS:
        try:
            documents = list(yaml.safe_load_all(seed))
            json.dumps(documents, default=str)  # refuses one that holds itself
            found.append(documents)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            continue
    return found


DOCUMENTS = _documents()


@given(data=st.sampled_from(SEEDS).flatmap(texts))
def test_text(data: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(data)
    verdict("experiment's text", "check", path, "--katib")


@given(documents=st.sampled_from(DOCUMENTS).flatmap(values))
def test_values(documents: list[Any], tmp_path_factory: Any) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_text(yaml.dump_all(documents, Dumper=_Dumper), encoding="utf-8")
    verdict("experiment's values", "check", path, "--katib")
