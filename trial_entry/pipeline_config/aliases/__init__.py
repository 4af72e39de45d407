"""Short names that mean the same in every config: `learning_rate`, whatever schedule it uses.

An alias resolves to fields of the config in hand; what is coupled to them moves along.
"""

from __future__ import annotations

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases.alias import Alias
from trial_entry.pipeline_config.aliases.augmentation import PREFIX, augmentation
from trial_entry.pipeline_config.aliases.model import MODEL
from trial_entry.pipeline_config.aliases.swaps import SWAPS
from trial_entry.pipeline_config.aliases.training import TRAINING
from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import nearest

ALIASES: dict[str, Alias] = {alias.name: alias for alias in (*SWAPS, *TRAINING, *MODEL)}


def find_alias(name: str) -> Alias | None:
    """The alias `name`; None for a field path.

    Raises:
        AssignmentError: neither an alias nor the beginning of a field path; the nearest of both is named.
    """
    if name in ALIASES:
        return ALIASES[name]
    if name.startswith(PREFIX):
        return augmentation(name.removeprefix(PREFIX))
    top = [field.name for field in TrainEvalPipelineConfig.DESCRIPTOR.fields]
    if name.partition(".")[0] not in top:
        raise AssignmentError(f"{name}: neither an alias nor a field path; {nearest(name, [*ALIASES, *top])}")
    return None


def field_of(config: TrainEvalPipelineConfig, name: str) -> str:
    """The path of the field that `name` (alias or field path) sets in `config`."""
    alias = find_alias(name)
    return find_field(config, name).path if alias is None else alias.field(config)


def current_value(config: TrainEvalPipelineConfig, name: str) -> str | None:
    """What `config` has for `name` now, as an assignment would write it; None where it has no value."""
    alias = find_alias(name)
    return find_field(config, name).text() if alias is None else alias.current(config)
