"""Paths that no trial can open, as far as they themselves say: placeholders, Windows, variables, lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from trial_entry.finding import Finding
from trial_entry.pipeline_config.inputs import named_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused, warned


class _Fault(NamedTuple):
    """A kind of path that cannot be opened.

    Attributes:
        pattern: finds what is wrong with it, anywhere in the path.
        what: what that is; {0} is what was found.
        right: what would be right; {example} is a path of the field's kind.
    """

    pattern: re.Pattern[str]
    what: str
    right: str


_ON_THE_TRIALS = "write the path where the trial has the file, such as {example}"
_RECORD = "/data/train.record"
_EXAMPLES = {
    "fine_tune_checkpoint": "/data/ssd/checkpoint/ckpt-0",
    "label_map_path": "/data/label_map.pbtxt",
}  # by field
_SHARDS = re.compile(r"(.*)@(\d+|\*)")
_FAULTS = (
    _Fault(
        re.compile(r"PATH_TO_BE_CONFIGURED|TO_BE_CONFIGURED|PATH_TO_[A-Z_]+|(?<![\w$])YOUR_[A-Z_]+"),
        "is a placeholder that nobody has filled in ({0})",
        _ON_THE_TRIALS,
    ),
    _Fault(
        re.compile(r"<[^<>]+>|\[(?:PATH|YOUR|INSERT)[^]]*\]|^/?path/to(?=/|$)|^/?your/path(?=/|$)|\bTODO\b"),
        "is a placeholder that nobody has filled in ({0})",
        _ON_THE_TRIALS,
    ),
    _Fault(
        re.compile(r"[\x00-\x1f\x7f]"),
        "has a control character ({0!r}), as in quotes a backslash and the letter after it are one, in a Windows path",
        "write / instead of each backslash; " + _ON_THE_TRIALS,
    ),
    _Fault(
        re.compile(r"^[A-Za-z]:[/\\]|\\"),
        "is a Windows path ({0}): a trial runs on Linux, where a backslash separates nothing",
        _ON_THE_TRIALS,
    ),
    _Fault(
        re.compile(r"\$\(?\{?\w+\}?\)?|%\w+%|\{\{.*?\}\}|\{\w+\}"),
        "has a variable ({0}), which nobody fills in",
        _ON_THE_TRIALS,
    ),
    _Fault(
        re.compile(r"@(?:\d+|\*)$"),
        "{0} stands for no shards here",
        "write a pattern: train.record-?????-of-00010",
    ),
    _Fault(
        re.compile(r",\s*(?=/|\.{1,2}/|\w+://)|(?<=record),\s*(?=\S)"),
        "has a comma, which separates no files: it is read as one name",
        "repeat the field, once for each file, or write a pattern",
    ),
    _Fault(
        re.compile(r"^(?:https?|ftps?|hdfs|file|gcs|az|abfss?|dbfs)://"),
        "is an address that no trial opens ({0})",
        "it reads paths, gs:// and s3://",
    ),
    _Fault(re.compile(r"^(?:gs|s3):(?!//)/?"), "begins with {0}", "a bucket begins with gs:// or s3://"),
    _Fault(re.compile(r"^\s|\s$"), "has a blank at its beginning or end", "take it out"),
)
_HOME = re.compile(r"^~[^/]*(?=/|$)")


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of every path that a trial opens."""
    for field, path in named_paths(config):
        wrong = path_fault(path, field)
        if wrong is not None:
            yield refused(field, f"{path!r} {wrong[0]}", wrong[1])
        elif home := _HOME.search(path):
            what = f"{path!r} is in the home folder ({home[0]}) of whoever runs the trial: in a pod that is another one"
            yield warned(field, what, "write the whole path")


def path_fault(path: str, field: str = "") -> tuple[str, str] | None:
    """Why no trial can open a path, and what would be right; None where it may be one.

    Args:
        field: that names it, by which the right is shown.
    """
    for fault in _FAULTS:
        if found := fault.pattern.search(path):
            shards = _SHARDS.fullmatch(path)
            if shards is not None:
                return fault.what.format(found[0]), f"write a pattern: {_pattern(shards[1], shards[2])}"
            example = next((path for name, path in _EXAMPLES.items() if field.endswith(name)), _RECORD)
            return fault.what.format(found[0]), fault.right.format(example=example)
    return None


def _pattern(name: str, shards: str) -> str:
    """The files of so many shards, in TensorFlow's spelling."""
    return f"{name}-?????-of-{'?????' if shards == '*' else shards.zfill(5)}"
