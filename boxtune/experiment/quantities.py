"""Amounts of memory, processors and the like in a pod: numbers with a suffix, as Kubernetes writes them.

Source: the grammar in `apimachinery/pkg/api/resource/quantity.go`. Katib's own models leave these unlooked at.
"""

from __future__ import annotations

import re

from boxtune.problems import JOB_REFUSED, REFUSED, Problem, error

_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_PLACEHOLDER = "${"
_COUNT = re.compile(r"\d{1,4}")
GPU_LIMIT = "nvidia.com/gpu"


def quantity_problem(value: object, path: str) -> Problem | None:
    """What is wrong with the amount `value` at `path`; None if nothing is."""
    text = str(value)
    if _PLACEHOLDER in text:
        why = "Katib tries the template with a word in each parameter's place; a word is none"
        return error(path, f"{text} must be an amount: {why}", "", REFUSED)
    if isinstance(value, bool) or not _QUANTITY.fullmatch(text):
        return error(path, f'"{text}" must be an amount such as 12Gi, 500m or 1', "", REFUSED)
    if path.endswith(GPU_LIMIT) and not _COUNT.fullmatch(text):
        return error(path, f"{text} must be a whole number of GPUs, such as 1", "", JOB_REFUSED)
    return None
