"""What several subcommands of `boxtune pipeline` read from their options."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Annotated

import typer

from boxtune.errors import InputError

Claims = Annotated[
    list[str] | None,
    typer.Option("--claim", metavar="NAME=/PATH", help="a claim that every step mounts there; repeatable"),
]
Host = Annotated[
    str | None, typer.Option("--host", metavar="URL", help="of Kubeflow Pipelines' API (KF_PIPELINES_ENDPOINT)")
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", metavar="NAME", help="the Profile, where the server has several")
]
Image = Annotated[
    str | None,
    typer.Option("--image", metavar="IMAGE", help="of the steps, by tag or digest (this version's, for CPUs)"),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", metavar="NAME=VALUE", help="a parameter (boxtune pipeline list); lists as JSON; repeatable"
    ),
]


def need_kfp() -> None:
    """Raises InputError where the packages for pipelines are not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("kfp", "kfp.kubernetes")):
        raise InputError("boxtune pipeline: needs Kubeflow Pipelines' packages: pip install boxtune[pipelines]")


def claims_of(given: Sequence[str] | None) -> dict[str, str]:
    """Mount path by the claim's name, from `--claim NAME=/PATH`.

    Raises:
        InputError: not of that form.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, path = text.partition("=")
        if not name or not equals or not path.startswith("/"):
            raise InputError(f'--claim "{text}": write NAME=/PATH')
        if name in found:
            raise InputError(f"--claim {name}: given twice; a claim is mounted at one path")
        found[name] = path
    return found
