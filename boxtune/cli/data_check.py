"""`boxtune data check`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.counting import counted
from boxtune.cli.paths import input_file, named
from boxtune.data.checking.record_check import RecordCheck, check_records
from boxtune.data.record_files import find_records
from boxtune.errors import EXIT_DONE, EXIT_INPUT, InputError
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.checks import MODEL, check
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig


def data_check(
    records: Annotated[list[str], typer.Argument(metavar="RECORDS...", help="files, patterns, or a folder of them")],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="the pipeline.config that is to read them: what is too small?", parser=input_file
        ),
    ] = None,
    label_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="the label map (the config's, or label_map.pbtxt beside them)", parser=input_file
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="counts and findings as JSON")] = False,
) -> int:
    """Find what ruins a training: one line a kind of fault, with its first place, how often, and what would be right.

    Looks at every record and decodes every image, on all cores: boxes outside, without area or in pixels; classes that
    are not in the label map; images that TensorFlow cannot decode, or reads otherwise; the same image, or nearly the
    same, in two splits; classes that a split lacks; with --config also objects too small for the model. Splits are told
    by the files' names. Exit code 2 if anything is an error, 0 if not.

    Example: boxtune data check data --config pipeline.config
    """
    model = None if config is None else _config(config)
    if label_map is None and config is not None and model is not None:
        label_map = _label_map(config, model)
    found = check_records(find_records(records, label_map), model)
    errors, warnings = (sum(each.severity == kind for each in found.findings) for kind in ("error", "warning"))
    if as_json:
        findings = [{**asdict(each), "text": str(each)} for each in found.findings]
        print(json.dumps({"splits": found.counts(), "findings": findings}, indent=2))
    else:
        _print(found)
        print(f"{' '.join(records)}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    return EXIT_INPUT if errors else EXIT_DONE


def _print(found: RecordCheck) -> None:
    for each in found.findings:
        print(named(f"{each.severity}: {each}"))
    for split in found.splits:
        classes = ", ".join(f"{name} {count}" for name, count in split.classes(found.labels).items())
        look = split.look
        print(f"{split.name}: {look.images} images, {look.empty} without a box, {look.boxes} objects ({classes})")


def _config(path: Path) -> TrainEvalPipelineConfig:
    if not path.is_file():
        raise InputError(f"--config {path}: no such file")
    try:
        config = BaseConfig.read(path).config
        check(config, str(path), MODEL)
    except RequestError as error:
        raise InputError(str(error)) from None
    return config


def _label_map(path: Path, config: TrainEvalPipelineConfig) -> Path | None:
    """The config's, where it is on this machine."""
    named = path.parent / config.train_input_reader.label_map_path
    return named if config.train_input_reader.label_map_path and named.is_file() else None
