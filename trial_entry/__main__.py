"""`python -m trial_entry [train] | evaluate | build | stop`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trial_entry.arguments import parse_arguments
from trial_entry.errors import EXIT_STOPPED, Stopped, TrialError
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


def _say(reason: str) -> None:
    """One line, without the `=` that a collector would take for a metric's."""
    print(" ".join(reason.split()).replace("=", ":"), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
