"""Data's import.json: what an import read, left out and repaired, and what it wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxtune.data.annotations import Annotations
from boxtune.data.digests import sha256_of
from boxtune.data.findings import Finding
from boxtune.data.importing.options import ImportOptions, asked_split
from boxtune.data.importing.planning import Plan
from boxtune.data.importing.splitting import ALL_SPLITS
from boxtune.data.importing.tiling import Tiling
from boxtune.data.published import CONFIG, EXPERIMENT, FORMAT, IMPORT
from trial_entry.contract.versions import boxtune_version
from trial_entry.records.tfrecord import summarize

_UNSIZED = (IMPORT, CONFIG, EXPERIMENT)  # the last two are people's to edit


@dataclass(frozen=True)
class Imported:
    """A folder of records.

    Attributes:
        about: what its import.json says.
        unchanged: whether it was there already.
        kept: files of the folder that was there before, which no import wrote or somebody edited.
    """

    about: Mapping[str, Any]
    unchanged: bool
    kept: Sequence[str] = ()

    @property
    def findings(self) -> list[Finding]:
        """What was left out and repaired."""
        return [Finding(**each) for each in self.about["findings"]]


def about_import(
    made: Path,
    options: ImportOptions,
    annotations: Annotations,
    numbers: Mapping[str, int],
    decided: Plan,
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """What import.json says of the folder `made`. Nothing in it depends on when or where it was made."""
    splits = {
        split: {
            "images": sum(each == split for each in decided.splits.values()),
            "records": sum(counts[shard.name] for shard in decided.shards if shard.split == split),
            "objects": dict(sorted(decided.counts.get(split, {}).items())),
            "files": [shard.name for shard in decided.shards if shard.split == split],
            "digest": summarize(made / shard.name for shard in decided.shards if shard.split == split).digest,
        }
        for split in ALL_SPLITS
        if any(shard.split == split for shard in decided.shards)
    }
    return {
        "format": FORMAT,
        "boxtune": boxtune_version(),
        "command": list(options.command),
        "annotations": {
            "format": annotations.format,
            "files": len(annotations.files),
            "sha256": _digest(annotations.files),
        },
        "seed": options.seed,
        "split": asked_split(options),
        "classes": dict(numbers),
        "splits": splits,
        **({"tiling": _tiling(options.tiling)} if options.tiling is not None else {}),
        "configs": {name: sha256_of(made / name) for name in (CONFIG, EXPERIMENT) if (made / name).is_file()},
        "files": {path.name: path.stat().st_size for path in sorted(made.iterdir()) if path.name not in _UNSIZED},
    }


def _tiling(tiling: Tiling) -> dict[str, int]:
    """What a model trained on these tiles should be given too, in pixels."""
    return {"width": tiling.width, "height": tiling.height, "overlap": tiling.overlap}


def _digest(files: list[Path]) -> str:
    """Of one file itself; of several, of their digests in order."""
    digests = [sha256_of(file) for file in files if file.is_file()]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
