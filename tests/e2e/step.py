"""What a pipeline's step `search` does, as a process of its own: python -m tests.e2e.step; the options are JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console

from boxtune.cluster.searching import SearchOptions, refuse_failed, search_on_katib
from boxtune.cluster.trial_data import DataSource
from boxtune.errors import BoxtuneError
from boxtune.experiment.loading import load_experiment
from boxtune.local.recording import record_run
from boxtune.report.progress_lines import PlainListener


def main() -> int:
    """Search as told, record the run; returns the exit code."""
    experiment, folder, options = sys.argv[1:]
    given = json.loads(options)
    data = {name: DataSource(url) for name, url in given.pop("data").items()}
    try:
        listener = PlainListener(Console(highlight=False, width=1000))
        run = search_on_katib(load_experiment(Path(experiment)), SearchOptions(data=data, **given), listener)
        record_run(run, Path(folder))
        refuse_failed(run)
    except BoxtuneError as problem:
        print(problem, file=sys.stderr, flush=True)
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
