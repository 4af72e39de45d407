"""What can go wrong around many trials.

    BoxtuneError
    ├── InputError             what the user gave is wrong: exit code 2
    │   ├── ExperimentError    the Experiment file
    │   ├── AnnotationsError   annotations or images that records are to be made of
    │   ├── RunFolderError     the RUN folder: another Experiment's, in use, damaged, not writable
    │   └── ClusterError       the cluster: not there, no rights, no Katib, or it refuses what was submitted
    │       └── Unreachable    it does not answer, for now
    ├── ExperimentFailed       too many trials failed: exit code 3
    └── Interrupted            stopped before the end, by a signal or a full disk; the same command goes on: 130
        └── BudgetSpent        the time that was given for the search is over

Every message says what was wrong, where, and what would be right, on one line.
"""

from __future__ import annotations

from boxtune.problems import Problem
from trial_entry.printable import printable

EXIT_DONE = 0
EXIT_BUG = 1
EXIT_INPUT = 2
EXIT_FAILED = 3
EXIT_INTERRUPTED = 130


class BoxtuneError(Exception):
    """The root of what Boxtune reports in one line."""

    exit_code = EXIT_BUG

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(BoxtuneError):
    """What the user gave cannot be used as it stands."""

    exit_code = EXIT_INPUT


class ExperimentError(InputError):
    """The Experiment is malformed, or Katib would refuse it, or this machine cannot run it.

    Attributes:
        problems: what is wrong with it, each at its place; empty where the error is no field's.
    """

    def __init__(self, *wrong: Problem | str, file: str = "") -> None:
        """
        Args:
            wrong: problems, or sentences about the whole.
            file: where the Experiment was read, for the message.
        """
        self.problems = tuple(each for each in wrong if isinstance(each, Problem))
        said = "; ".join(each.placed if isinstance(each, Problem) else each for each in wrong)
        super().__init__(f"{file}: {said}" if file else said)


class AnnotationsError(InputError):
    """Annotations or images of a data set cannot be used as they stand."""


class RunFolderError(InputError):
    """The RUN folder cannot be used for this."""


class ClusterError(InputError):
    """The cluster cannot be used for this, or refuses."""


class Unreachable(ClusterError):  # noqa: N818 (a state, no mistake)
    """The cluster does not answer; it may later."""


class ExperimentFailed(BoxtuneError):  # noqa: N818 (Katib's word for the condition)
    """The experiment ended in the condition Failed."""

    exit_code = EXIT_FAILED


class Interrupted(BoxtuneError):  # noqa: N818 (no mistake was made)
    """The run stopped early; everything finished is kept."""

    exit_code = EXIT_INTERRUPTED


class BudgetSpent(Interrupted):
    """No trial is begun any more, for the search's time is over; more time goes on."""
