"""`boxtune pipeline compile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.paths import output_folder, shown
from boxtune.cli.pipeline_options import Claims, Image, claims_of, need_kfp
from boxtune.errors import InputError


def pipeline_compile(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="which pipeline (all of them)")] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="where NAME.yaml goes", parser=output_folder, show_default=True)
    ] = Path("pipelines/compiled"),
    image: Image = None,
    claim: Claims = None,
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; fail where a file there is not current")
    ] = False,
) -> None:
    """Write pipelines as the YAML that Kubeflow Pipelines runs: in its UI, by boxtune pipeline submit, by any client.

    The same sources give the same bytes. KFP takes image and claims when a pipeline is compiled; all else is a
    parameter of the run.

    Example: boxtune pipeline compile tune_and_train --claim boxtune-data=/data --out .
    """
    need_kfp()
    from pipelines.compiling import compiled, stale
    from pipelines.pipelines import PIPELINES
    from pipelines.placement import Placement

    names = [name] if name is not None else list(PIPELINES)
    placement = Placement.of(image, claims_of(claim))
    if check:
        old = stale(names, out, placement)
        if old:
            raise InputError(f"not current: {', '.join(map(str, old))}; boxtune pipeline compile writes them")
        return
    for each in names:
        file = out / f"{each}.yaml"
        try:
            out.mkdir(parents=True, exist_ok=True)
            file.write_text(compiled(each, placement), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{file}: cannot be written: {error.strerror}; name another folder with --out") from None
        print(shown(file))
