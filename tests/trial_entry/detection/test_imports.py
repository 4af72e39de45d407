"""What is left out of the imports is really left out, and there when somebody asks for it."""

from __future__ import annotations

import subprocess
import sys

PRELOADED = "from trial_entry.detection.runtime import preload; preload(); import gc, sys; "


def attempt(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELOADED + program], capture_output=True, text=True, timeout=300, check=False
    )


def test_what_is_left_out_can_be_imported_afterwards() -> None:
    done = attempt(
        "spared = {'pandas', 'sklearn', 'googleapiclient', 'scipy.sparse', 'matplotlib', 'matplotlib.figure'}; "
        "assert not spared & set(sys.modules), spared & set(sys.modules); "
        "import pandas, scipy.sparse, sklearn.metrics"
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_stand_ins_are_loaded_when_they_are_used() -> None:
    done = attempt(
        "from object_detection.utils import visualization_utils; visualization_utils.STANDARD_COLORS; "
        "import matplotlib.pyplot as plt; plt.figure(); "
        "from object_detection.metrics import lvis_evaluation; lvis_evaluation.lvis_tools.LVISWrapper; "
        "lvis_evaluation.lvis_results.LVISResults; import lvis; lvis.LVISEval"
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_garbage_collector_goes_on_afterwards() -> None:
    done = attempt("assert gc.isenabled() and gc.get_freeze_count() > 100_000, gc.get_freeze_count()")
    assert done.returncode == 0, done.stderr[-3000:]
