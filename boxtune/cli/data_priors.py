"""`boxtune data priors`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.paths import input_file, shown
from boxtune.cli.printing import console
from boxtune.data.priors.box_sample import sample_boxes, training_splits
from boxtune.data.priors.suggestions import suggest, usual_config
from boxtune.data.priors.text import priors_sentences, priors_settings, priors_table
from boxtune.data.record_files import find_records
from boxtune.errors import InputError
from boxtune.report.parameters import parameters_yaml
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.text import read_config


def data_priors(
    records: Annotated[list[str], typer.Argument(metavar="RECORDS...", help="files, patterns, or a folder of them")],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="the pipeline.config that they are for (the model zoo's SSDs)", parser=input_file
        ),
    ] = None,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="as blocks for an Experiment: parameters, trialParameters, args")
    ] = False,
) -> None:
    """Suggest anchors, image size and number of detections from the boxes of the training records.

    Prints what the config has, what the data suggest and why, and the --set lines of a trial that takes it. Where the
    config's own value is as good, it stays.

    Example: boxtune data priors data --config pipeline.config
    """
    try:
        read = read_config(config) if config is not None else usual_config()
        found = find_records(records)
        priors = suggest(read, sample_boxes(found, training_splits(found)))
    except RequestError as error:
        raise InputError(str(error)) from None
    if as_yaml:
        for line in priors_settings(priors, searched=False):
            print(f"# also needed: {line}")
        print(parameters_yaml([each.searched for each in priors.priors if each.searched is not None]), end="")
        return
    console().print(priors_table(priors))
    for line in (*priors_sentences(priors, shown(config) if config else ""), "", *priors_settings(priors)):
        print(line)
