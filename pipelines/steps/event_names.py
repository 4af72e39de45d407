"""The names of TensorBoard's files of a step: without the pod's, which is long and says nothing once the pod is gone.

With it an object's key passes 255 letters, which some stores that speak S3 do not take.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path


def shorten_event_names(folder: Path) -> None:
    """Take this machine's name out of those of all event files below `folder`, whose writers have ended."""
    named_after = re.compile(rf"^(events\.out\.tfevents\.\d+)\.{re.escape(socket.gethostname())}\.(.*)$")
    for file in folder.rglob("events.out.tfevents.*"):
        short = named_after.sub(r"\1.\2", file.name)
        if short != file.name:
            file.rename(file.with_name(short))
