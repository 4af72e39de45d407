"""What Katib's webhook refuses, and fields that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from boxtune.checking.finding import Finding, error
from boxtune.experiment.validation import IGNORED, problems

_PATH = re.compile(r"^([\w.…-]+)[: ]")


def webhook_findings(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for every problem that validation has."""
    for problem in problems(raw):
        matched = _PATH.match(problem)
        path = matched.group(1) if matched and "." in matched.group(1) else ""
        text = problem[len(path) :].lstrip(": ") if path else problem
        on_katib = "the field is ignored" if text.endswith(IGNORED) else "the webhook refuses the Experiment"
        yield error(path, text, on_katib)
