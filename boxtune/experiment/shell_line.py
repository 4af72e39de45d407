"""The shell line that Katib's webhook puts around a trial's command.

Source: `wrapWorkerContainer` in Katib's `pkg/webhook/v1beta1/pod/utils.go`; the kubelet then expands `$(NAME)` and
makes `$$` of it a `$` (`k8s.io/kubernetes/third_party/forked/golang/expansion`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

_WRAPPED = ("StdOut", "File", "TensorFlowEvent")  # `NeedWrapWorkerMetricsCollectorList` beside it
LONGEST_ARGUMENT = 128 * 1024 - 1  # bytes: Linux' MAX_ARG_STRLEN, 32 pages with the NUL at the end
TRIAL_NAME = "KATIB_TRIAL_NAME"  # the variable that the webhook adds
METRICS_FILE = PurePosixPath("/var/log/katib/metrics.log")
_COMPLETED = "completed"  # `TrainingCompleted` in Katib's `pkg/metricscollector/v1beta1/common/const.go`
_EXPANSION = re.compile(r"\$(?:\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))")


def is_wrapped(collector: str) -> bool:
    """Whether Katib puts a shell line around the command of trials under the collector of this kind."""
    return collector in _WRAPPED


def script_of(command: Sequence[str]) -> tuple[list[str], list[str]]:
    """The shell of the line, and the words that it joins: `sh -c` or `bash -c` at the beginning are the shell."""
    if list(command[:1]) in (["sh"], ["bash"]) and list(command[1:2]) == ["-c"]:
        return list(command[:2]), list(command[2:])
    return ["sh", "-c"], list(command)


def wrap(
    command: Sequence[str],
    metrics_file: PurePosixPath = METRICS_FILE,
    redirect: bool = True,
    early_stopping: bool = False,
) -> list[str]:
    """`command` (the container's command and args) as Katib runs it under the StdOut collector.

    Args:
        metrics_file: where the collector reads; its folder takes the completion mark.
        redirect: False for the File collector, whose trials write the file themselves.
        early_stopping: whether the trial has early-stopping rules.

    Returns:
        The container's new command and its single arg, as the pod has them (the kubelet's expansion to come).
    """
    shell, args = script_of(command)
    folder = _quoted(metrics_file.parent)
    if redirect:
        args.append(f"1>{_quoted(metrics_file)} 2>&1")
    if early_stopping:
        args += [
            "||",
            f"if test -f {folder}/$$$$.pid && [ $(head -n 1 {folder}/$$.pid) = early-stopped ]; then echo "
            "Training Container was Early Stopped; else echo Training Container was Failed; exit 1; fi",
        ]
    args += ["&&", f"echo {_COMPLETED} > {folder}/$$$$.pid"]
    return [*shell, " ".join(args)]


def mark_file(metrics_file: Path, pid: int) -> Path:
    """Where the line writes its mark: its shell, process `pid`, is through the command, and the command ended well."""
    return metrics_file.parent / f"{pid}.pid"


def is_marked(file: Path) -> bool:
    """Whether the mark was written, as Katib's collector asks, which ends with an error where it was not.

    Source: `WaitPIDs` in Katib's `pkg/metricscollector/v1beta1/common/pns.go`.
    """
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip() == _COMPLETED
    except OSError:
        return False


def _quoted(path: PurePosixPath) -> str:
    """The path for the shell, after the kubelet's expansion; Katib's own path needs nothing."""
    return shlex.quote(str(path)).replace("$", "$$")


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The kubelet's expansion: `$(NAME)` where the container's environment has it, `$$` to `$`."""

    def replace(found: re.Match[str]) -> str:
        name = found.group(1)
        return "$" if name is None else environment.get(name, found.group(0))

    return _EXPANSION.sub(replace, text)
