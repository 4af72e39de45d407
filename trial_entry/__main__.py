"""`python -m trial_entry [train] | evaluate | export | …`: parse, run the command, end with its exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from trial_entry.contract.exit_codes import EXIT_BUG, EXIT_STOPPED, exit_code_of
from trial_entry.contract.export_requests import DetectRequest, ExportRequest
from trial_entry.contract.request import Request
from trial_entry.contract.requests import (
    BuildRequest,
    EvaluateRequest,
    FetchRequest,
    ServeRequest,
    StopRequest,
    TrainRequest,
    parse,
)
from trial_entry.errors import Stopped, TrialError
from trial_entry.logs import set_up_logging
from trial_entry.printable import printable
from trial_entry.storage.naming import stand_ins

_HELP = {"-h", "--help"}


def main(argv: Sequence[str]) -> int:
    """Run one command; returns its exit code, having said why on the last line of standard error."""
    set_up_logging()
    try:
        return _run(parse(argv, _aliases() if _HELP & set(argv) else ()))
    except (TrialError, Stopped) as error:
        _say(str(error))
        return exit_code_of(error)


def _run(request: Request) -> int:
    """Each command's module is imported for itself alone: most of them import TensorFlow."""
    match request:
        case StopRequest() | FetchRequest() | BuildRequest() | DetectRequest():
            return _run_without_metrics(request)
        case ServeRequest():
            from trial_entry.commands.serve import serve

            serve(request, run_to_the_end)
    from trial_entry.metric_lines import MetricStream

    stream = MetricStream()
    match request:
        case EvaluateRequest():
            from trial_entry.commands.evaluate import evaluate

            return evaluate(request, stream)
        case ExportRequest():
            from trial_entry.commands.export import export

            return export(request, stream)
        case TrainRequest():
            from trial_entry.commands.train import train

            return train(request, stream)
    raise AssertionError(f"{request.command} has no function")


def _run_without_metrics(request: StopRequest | FetchRequest | BuildRequest | DetectRequest) -> int:
    match request:
        case StopRequest():
            from trial_entry.commands.stop import stop

            return stop(request)
        case FetchRequest():
            from trial_entry.commands.fetch import fetch

            return fetch(request)
        case BuildRequest():
            from trial_entry.commands.build import build

            return build(request)
        case DetectRequest():
            from trial_entry.commands.detect import detect

            return detect(request)


def _aliases() -> Sequence[str]:
    """For the help alone: they need the API's messages, which take longer to import than all of the contract."""
    from trial_entry.pipeline_config.aliases import ALIASES

    return tuple(ALIASES)


def run_to_the_end(argv: Sequence[str]) -> NoReturn:
    """`main`, then out at once: all files are closed by then, and tearing TensorFlow down takes time and saves nothing.

    A started process and a forked one end alike by it.
    """
    try:
        code = main(argv)
    except SystemExit as ended:  # argparse, after --help
        code = int(ended.code or 0)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        code = EXIT_STOPPED
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = EXIT_BUG
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _say(reason: str) -> None:
    """One line, without the `=` that a collector would take for a metric's; what lies in buckets has its own name."""
    print(printable(" ".join(stand_ins().named(reason).split())).replace("=", ":"), file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_to_the_end(sys.argv[1:])
