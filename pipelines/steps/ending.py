"""A step's beginning and end: what it raises becomes one line and an exit code, as a command's does.

KFP prints a traceback of whatever a component raises, so that the line that says what to do is lost in it; a component
that exits has its line as the last of its log.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from boxtune.delivery.asking import termination_as_interruption
from boxtune.errors import EXIT_BUG, EXIT_DONE, EXIT_INTERRUPTED, BoxtuneError
from boxtune.last_line import say_why
from boxtune.report.text import duration
from pipelines.steps.telling import told
from trial_entry.contract.exit_codes import exit_code_of
from trial_entry.errors import TrialError

Given = ParamSpec("Given")
Result = TypeVar("Result")


def end(step: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """What the step returns; where it fails, the process ends with its line and its exit code.

    What nobody foresaw keeps its traceback, whose last line is told.
    """
    with told(step.__name__) as tell:
        begun = time.monotonic()
        tell.begins()
        try:
            with termination_as_interruption():
                result = step(*given, **named)
            tell.ends(EXIT_DONE, duration(time.monotonic() - begun))
            return result
        except BoxtuneError as error:
            why, code = str(error), error.exit_code
        except TrialError as error:
            why, code = str(error), exit_code_of(error)
        except KeyboardInterrupt:
            why, code = f"{step.__name__} was interrupted", EXIT_INTERRUPTED
        except Exception as error:
            tell.ends(EXIT_BUG, " ".join(traceback.format_exception_only(error)[-1].split()))
            raise
        tell.ends(code, why)
    sys.exit(say_why(why, code))
