"""What Kubernetes' API server refuses of an object's metadata, an Experiment's or its Job's: labels and other names.

Source: `ValidateObjectMeta` in `apimachinery/pkg/api/validation` and `apimachinery/pkg/util/validation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from boxtune.experiment.source import JsonObject
from boxtune.problems import JOB_REFUSED, Problem, error

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PLACEHOLDER = "${"


def metadata_problems(metadata: JsonObject | None, path: str, comes: str) -> Iterator[Problem]:
    """What is wrong with names in `metadata`, which stands at `path` and has the right structure.

    Args:
        comes: what happens on Katib.
    """
    given, may_be_filled = metadata or {}, comes == JOB_REFUSED  # a trial's values come later
    namespace = given.get("namespace")
    if namespace and not _NAMESPACE.fullmatch(namespace):
        what = f'"{namespace}" must be of a-z, 0-9 and "-", at most 63, not beginning or ending with "-"'
        yield error(f"{path}.namespace", what, "", comes)
    for field in ("labels", "annotations"):
        for key, value in (given.get(field) or {}).items():
            where = f"{path}.{field}.{key}" if key else f"{path}.{field}"
            if not is_qualified(key.lower() if field == "annotations" else key):
                what = f'"{key}" must be of letters, digits, "-", "_" and ".", after a domain and "/" if you like'
                yield error(where, what, "", comes)
            elif field == "labels" and value and not (_PLACEHOLDER in value and may_be_filled):
                if _NAME.fullmatch(value):
                    continue
                what = f'"{value}" must be of letters, digits, "-", "_" and ".", at most 63, for a label'
                yield error(where, what, "use an annotation for other texts", comes)


def is_qualified(key: str) -> bool:
    """Whether a label may have this key: a name, after a domain and "/" or alone."""
    domain, slash, name = key.rpartition("/")
    return _NAME.fullmatch(name) is not None and (not slash or _DOMAIN.fullmatch(domain) is not None)
