"""`python -m trial_entry [train] | evaluate | build | stop | serve`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from trial_entry.arguments import parse_arguments
from trial_entry.errors import EXIT_BUG, EXIT_STOPPED, Stopped, TrialError
from trial_entry.logs import set_up_logging


def main(argv: Sequence[str]) -> int:
    """Run one command; returns its exit code, having said why on the last line of standard error."""
    set_up_logging()
    try:
        arguments = parse_arguments(argv)
        if arguments.command == "stop":
            from trial_entry.commands.stop import stop

            return stop(arguments)
        if arguments.command == "build":
            from trial_entry.commands.build import build

            return build(arguments)
        if arguments.command == "serve":
            from trial_entry.commands.serve import serve

            serve(arguments, run_to_the_end)
        from trial_entry.metric_lines import MetricStream

        stream = MetricStream()
        if arguments.command == "evaluate":
            from trial_entry.commands.evaluate import evaluate

            return evaluate(arguments, stream)
        from trial_entry.commands.train import train

        return train(arguments, stream)
    except TrialError as error:
        _say(str(error))
        return error.exit_code
    except Stopped as stopped:
        _say(str(stopped))
        return EXIT_STOPPED


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
    """One line, without the `=` that a collector would take for a metric's."""
    print(" ".join(reason.split()).replace("=", ":"), file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_to_the_end(sys.argv[1:])
