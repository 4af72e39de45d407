"""Values that are set, but outside their field's meaning."""

from __future__ import annotations

import math
from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.meanings import range_of
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused
from trial_entry.pipeline_config.set_fields import set_fields


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of every field that is set."""
    for where, _, descriptor, value in set_fields(config):
        if descriptor.message_type is not None:
            continue
        meaning = range_of(descriptor)
        for item in value if descriptor.is_repeated else (value,):
            if isinstance(item, float) and (math.isnan(item) or (meaning is not None and math.isinf(item))):
                yield refused(where, f"{item:g} is no finite number", f"it must be {meaning}" if meaning else "")
            elif meaning is not None and item not in meaning:
                yield refused(where, f"{item:g} is out of range", f"it must be {meaning}")
