"""The config that a trial ran, where its folder is on this machine."""

from __future__ import annotations

from pathlib import Path

from boxtune.runs.trial import Trial
from trial_entry.contract.files import CONFIG_FILE, TRIAL_FILE


def trained_config(trial: Trial) -> Path | None:
    """The pipeline.config that a trial_entry trial ran, beside its trial.json; None where there is none."""
    if trial.folder is None:
        return None
    found = next(iter(sorted(trial.folder.rglob(TRIAL_FILE))), None)
    return found.with_name(CONFIG_FILE) if found is not None else None
