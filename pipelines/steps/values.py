"""An artifact that is a few values: metrics, or where data lie. KFP shows metadata; the same are in the file.

The file is there so that the artifact can be opened, and because `kfp.local` takes nothing from its cache whose files
are not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Values:
    """The artifact.

    Attributes:
        path: of its file on this machine.
        metadata: what KFP keeps and shows of it.
    """

    path: Path
    metadata: dict[str, object]

    def keep(self, values: Mapping[str, object]) -> None:
        """Add values."""
        self.metadata.update(values)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.metadata, indent=1) + "\n", encoding="utf-8")
