"""What can go wrong in a trial.

    TrialError
    ├── RequestError            the request is wrong
    │   ├── ConfigError         the pipeline.config
    │   ├── UnknownArgumentError    an argument that there is not
    │   ├── AssignmentError     a --set NAME=VALUE
    │   ├── DataError           records, label map
    │   │   ├── CorruptRecord   a record that cannot be read
    │   │   └── StorageError    a bucket, a copy of what is in one, a folder to publish to
    │   │       └── ConflictError   what is there is another's
    │   └── ModelDirError       the MODEL_DIR: another config's, in use, not writable
    └── OutOfMemoryError        the framework reported out of memory

`Stopped` is no error: it says that SIGTERM asked the trial to end. What each exits with is in
`trial_entry.contract.exit_codes`.
Every message says what was wrong, where, and what would be right, on one line.
"""

from __future__ import annotations

from collections.abc import Sequence

from trial_entry.printable import printable


class TrialError(Exception):
    """The root of what a trial reports in one line."""

    def __str__(self) -> str:
        return printable(super().__str__())


class RequestError(TrialError):
    """The request cannot be carried out as it stands."""


class ConfigError(RequestError):
    """The pipeline.config is missing, unreadable or contradicts itself."""


class UnknownArgumentError(RequestError):
    """Arguments that the command does not have.

    Attributes:
        arguments: as they were given.
        flags: those that it has.
        hint: closes the message.
    """

    def __init__(self, message: str, arguments: Sequence[str], flags: Sequence[str], hint: str) -> None:
        self.arguments, self.flags, self.hint = tuple(arguments), tuple(flags), hint
        super().__init__(message)


class AssignmentError(RequestError):
    """A `NAME=VALUE` names no field of this config, or has a value that the field cannot take.

    Attributes:
        name: what was assigned, an alias or field path; empty where no single assignment is at fault.
    """

    name = ""


class DataError(RequestError):
    """Records or label map are missing, empty, corrupt or disagree with the config."""


class CorruptRecord(DataError):  # noqa: N818 (also a finding, where others are looked for)
    """A record's bytes are not what was written.

    Attributes:
        file, record: where.
        what: what is wrong.
        right: what to do.
    """

    def __init__(self, file: str, record: int, what: str, right: str) -> None:
        self.file, self.record, self.what, self.right = file, record, what, right
        super().__init__(f"{file}: record {record}: {what}; {right}")


class StorageError(DataError):
    """A bucket, or what this machine keeps of one, cannot be read or written.

    Attributes:
        passing: whether the same may succeed a moment later; it was tried again for long already.
    """

    def __init__(self, message: str, passing: bool = False) -> None:
        self.passing = passing
        super().__init__(message)


class ConflictError(StorageError):
    """What is there was written by somebody else, and is not replaced."""


class ModelDirError(RequestError):
    """MODEL_DIR belongs to another config, is held by another process, or cannot be written."""


class OutOfMemoryError(TrialError):
    """The framework reported that memory ran out."""


class Stopped(BaseException):
    """SIGTERM asked the trial to end. Not an `Exception`, so that no library's handler swallows it."""


def first_line(problem: object) -> str:
    """What an error of some library says, without what it says below."""
    return (str(problem).strip().splitlines() or [""])[0]
