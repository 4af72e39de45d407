"""How `boxtune pipeline` shows a run on a server, and how it ends."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from boxtune.errors import ExperimentFailed, Interrupted
from boxtune.report.text import duration

if TYPE_CHECKING:
    from pipelines.following import Step
    from pipelines.server import Server
    from pipelines.submission import Submitted


def follow_to_the_end(server: Server, submitted: Submitted) -> None:
    """Show a run's steps as they begin and end.

    Raises:
        ExperimentFailed: it failed, or was ended.
    """
    from pipelines.following import SUCCEEDED, follow, last_words

    try:
        state = follow(server, submitted.run_id, _show, partial(print, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        again = f"boxtune pipeline watch {submitted.run_id} follows it"
        raise Interrupted(f"the run goes on: {submitted.address} ({again})") from None
    if state.state == SUCCEEDED:
        print(f"{submitted.run_id} succeeded: its artifacts, report and metrics are at {submitted.address}")
        return
    why = [state.error] if state.error else last_words(server, submitted.run_id)
    told = "; ".join(why) or "KFP does not say why; the step's log does, at the address above"
    retry = f" (once the cause is mended: boxtune pipeline submit --retry {submitted.run_id})"
    again = retry if state.state == "FAILED" else ""
    raise ExperimentFailed(f"the run {state.state.lower()}: {told}{again}")


def _show(step: Step) -> None:
    took = f" after {duration(step.seconds)}" if step.seconds else ""
    print(f"{step.name}: {step.state.lower()}{', as an earlier run has it' if step.cached else took}", flush=True)
