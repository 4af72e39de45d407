"""The client's models of the API's JSON."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from kubernetes.client import ApiClient


def read(content: dict[str, Any], model: str) -> Any:
    """The model of this name, as the client makes it of an answer."""
    return ApiClient().deserialize(SimpleNamespace(data=json.dumps(content)), model)
