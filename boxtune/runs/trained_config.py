"""The config that a trial ran, where its folder is on this machine."""

from __future__ import annotations

from pathlib import Path

from boxtune.errors import InputError
from boxtune.runs.trial import Trial
from trial_entry.contract.files import CONFIG_FILE, TRIAL_FILE
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.text import config_text, read_config

MODEL_DIR_LINK = "model_dir"  # in a trial's folder: where its MODEL_DIR lies, which others share (--model_root)


def text_of(ran: Path) -> str:
    """The text of a pipeline.config that a trial left, as the API writes it.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return config_text(read_config(ran))
    except RequestError as wrong:
        raise InputError(str(wrong)) from None


def trained_config(trial: Trial) -> Path | None:
    """The pipeline.config that a trial_entry trial ran, beside its trial.json; None where there is none."""
    if trial.folder is None:
        return None
    linked = trial.folder / MODEL_DIR_LINK / CONFIG_FILE
    if linked.is_file():
        return linked
    found = next(iter(sorted(trial.folder.rglob(TRIAL_FILE))), None)
    return found.with_name(CONFIG_FILE) if found is not None else None
