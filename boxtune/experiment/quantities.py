"""Amounts of memory, processors and the like in a pod: numbers with a suffix, as Kubernetes writes them.

Source: the grammar in `apimachinery/pkg/api/resource/quantity.go`. Katib's own models leave these unlooked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_PLACEHOLDER = "${"


def quantity_problems(pod: Any, where: str) -> Iterator[str]:
    """What is no quantity in a pod template's containers and volumes, each one line that begins with its path."""
    for path, value in _quantities(pod, where):
        text = str(value)
        if _PLACEHOLDER in text:
            yield (
                f"{path}: {text} must be an amount: Katib tries the template with a word in each parameter's place; "
                "a word is none"
            )
        elif isinstance(value, bool) or not _QUANTITY.fullmatch(text):
            yield f'{path}: "{text}" must be an amount such as 12Gi, 500m or 1'


def _quantities(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _quantities(inner, f"{path}.{number}")
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "resources" and isinstance(inner, dict):
            for kind in ("limits", "requests"):
                for name, amount in (inner.get(kind) or {}).items():
                    yield f"{path}.{key}.{kind}.{name}", amount
        elif key == "sizeLimit":
            yield f"{path}.{key}", inner
        else:
            yield from _quantities(inner, f"{path}.{key}")
