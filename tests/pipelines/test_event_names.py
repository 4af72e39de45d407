"""TensorBoard's files under short names."""

from __future__ import annotations

import socket
from pathlib import Path

from pipelines.steps.event_names import shorten_event_names


def test_only_this_machine_s_name_goes(tmp_path: Path) -> None:
    host = socket.gethostname()
    (tmp_path / "eval").mkdir()
    for name in (f"events.out.tfevents.17.{host}.35.1.v2", "events.out.tfevents.17.elsewhere.35.1.v2", "metrics.json"):
        (tmp_path / "eval" / name).write_text(name)
    shorten_event_names(tmp_path)
    shorten_event_names(tmp_path)
    assert sorted(each.name for each in (tmp_path / "eval").iterdir()) == [
        "events.out.tfevents.17.35.1.v2", "events.out.tfevents.17.elsewhere.35.1.v2", "metrics.json",
    ]  # fmt: skip
