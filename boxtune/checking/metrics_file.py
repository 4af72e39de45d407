"""Checking's look at the File collector's folder, which Katib mounts empty over whatever the image has there.

Source: `mutateMetricsCollectorVolume` in Katib's `pkg/webhook/v1beta1/pod/utils.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from boxtune.checking.shell_line import FAILED, line_of
from boxtune.checking.shell_words import UnclosedError, tokens
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.trial_command import TrialCommand
from boxtune.problems import Problem, error

_PROGRAM_FILE = re.compile(r"[\w./+-]+\.(?:py|sh|bash|R|jl|pl|rb|js|jar)")
# What may bring a file there before it is used.
_BRINGS = re.compile(
    r"\b(?:cp|mv|ln|curl|wget|git|tar|unzip|rsync|gsutil|gcloud|aws|mc|tee|cat|echo|printf|sed|install)\b"
)


def metrics_file_problems(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    """A program in the folder of the metrics file, where it is not in a trial."""
    if experiment.collector.kind != "File":
        return
    folder = PurePosixPath(experiment.collector.path).parent
    program = _program_in(folder, experiment, command)
    if program is not None:
        yield error(
            "spec.metricsCollectorSpec.source.fileSystemPath.path",
            f"Katib mounts an empty folder at {folder}, in which the trial then does not find {program}",
            "write the metrics file to a folder of its own",
            FAILED,
        )


def _program_in(folder: PurePosixPath, experiment: Experiment, command: TrialCommand) -> PurePosixPath | None:
    """The first program that the command names below `folder`; None where a volume or the command brings it there."""
    line = line_of(experiment, command, {})
    try:
        words = [each.text for each in tokens(line.script) if each.kind == "word"]
    except UnclosedError:
        return None
    if _BRINGS.search(line.script):
        return None
    mounts = [PurePosixPath(each.mount_path) for each in command.container.volume_mounts or ()]
    here = PurePosixPath(command.container.working_dir or "")  # relative where only the image knows it
    for before, word in zip(["", *words], words, strict=False):
        if before == "cd":
            here /= word
        elif _PROGRAM_FILE.fullmatch(word):
            file = here / word
            mounted = any(mount.is_relative_to(folder) and file.is_relative_to(mount) for mount in mounts)
            if file.is_relative_to(folder) and not mounted and ".." not in file.parts:
                return file
    return None
