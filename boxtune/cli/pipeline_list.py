"""`boxtune pipeline list`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from boxtune.cli.pipeline_options import need_kfp


def pipeline_list(
    as_json: Annotated[bool, typer.Option("--json", help="names, parameters, types and defaults as JSON")] = False,
) -> None:
    """Name the pipelines, what they do, and their parameters with types and defaults.

    Example: boxtune pipeline list
    """
    need_kfp()
    from pipelines.parameters import parameters
    from pipelines.pipelines import PIPELINES

    if as_json:
        found = [
            {
                "name": name,
                "about": about,
                "parameters": [
                    {"name": each.name, "type": each.type.__name__, "default": each.default, "about": each.about}
                    for each in parameters(name)
                ],
            }
            for name, about in PIPELINES.items()
        ]
        print(json.dumps(found, indent=2))
        return
    for name, about in PIPELINES.items():
        print(f"{name}: {about}")
        for each in parameters(name):
            default = "must be given" if each.default is None else json.dumps(each.default)
            print(f"  {each.name} ({each.type.__name__}, {default}): {each.about}")
        print()
