"""What Katib's webhook refuses, and fields that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from boxtune.checking.finding import Finding, error
from boxtune.experiment.validation import IGNORED, problems

_JOB = "spec.trialTemplate.trialSpec."
_DOTTED = re.compile(r"[a-z](?=.*\.)[-.a-z0-9]{0,38}[a-z0-9]")
_PATH = re.compile(r"^([\w.…-]+)[: ]")


def webhook_findings(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for every problem that validation has."""
    for problem in problems(raw):
        matched = _PATH.match(problem)
        path = matched.group(1) if matched and "." in matched.group(1) else ""
        text = problem[len(path) :].lstrip(": ") if path else problem
        yield error(path, text, _on_katib(raw, path, text))


def _on_katib(raw: Mapping[str, Any], path: str, text: str) -> str:
    """What comes of it; the webhook's word on each is tried on the real one by tests/e2e."""
    if text.endswith(IGNORED) and not path.startswith(_JOB):
        return "the field is ignored"
    collector = ((raw.get("spec") or {}).get("metricsCollectorSpec") or {}).get("collector") or {}
    if "metricsFormat" in path and collector.get("kind", "StdOut") == "StdOut":
        return "accepted; no metric is ever read"  # it looks at the filters of other collectors alone
    name = str((raw.get("metadata") or {}).get("name"))
    if path == "metadata.name" and _DOTTED.fullmatch(name):
        return "accepted; no Service can have this name, and no suggestion ever comes"
    return "the webhook refuses the Experiment"
