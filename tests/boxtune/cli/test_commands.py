"""The subcommands: listed without being imported, and each with a function of its name."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from boxtune.cli.commands import SUBCOMMANDS
from boxtune.cli.main import app


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_has_its_module_and_its_help(name: str) -> None:
    assert callable(getattr(importlib.import_module(f"boxtune.cli.{name}"), name))
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"boxtune {name}" in shown.output or f"root {name}" in shown.output


def test_help_lists_them_and_imports_none() -> None:
    script = """
import sys
from boxtune.cli.main import main
try:
    main()
finally:
    loaded = [name for name in sys.modules if name.split(".")[0] in ("optuna", "pydantic", "numpy", "tensorflow")]
    assert not loaded, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in SUBCOMMANDS)


def test_an_unknown_one_is_refused() -> None:
    refused = CliRunner().invoke(app, ["runn"])
    assert refused.exit_code == 2
    assert "No such command 'runn'" in refused.output
