"""The shell line that Katib's webhook puts around a trial's command.

Source: `wrapWorkerContainer` in Katib's `pkg/webhook/v1beta1/pod/utils.go`; the kubelet then expands `$(NAME)` and
makes `$$` of it a `$` (`k8s.io/kubernetes/third_party/forked/golang/expansion`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

METRICS_FILE = PurePosixPath("/var/log/katib/metrics.log")
_EXPANSION = re.compile(r"\$(?:\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))")


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
    shell, args = ["sh", "-c"], list(command)
    if args[0] in ("sh", "bash") and args[1:2] == ["-c"]:
        shell, args = args[:2], args[2:]
    folder = _quoted(metrics_file.parent)
    if redirect:
        args.append(f"1>{_quoted(metrics_file)} 2>&1")
    if early_stopping:
        args += [
            "||",
            f"if test -f {folder}/$$$$.pid && [ $(head -n 1 {folder}/$$.pid) = early-stopped ]; then echo "
            "Training Container was Early Stopped; else echo Training Container was Failed; exit 1; fi",
        ]
    args += ["&&", f"echo completed > {folder}/$$$$.pid"]
    return [*shell, " ".join(args)]


def _quoted(path: PurePosixPath) -> str:
    """The path for the shell, after the kubelet's expansion; Katib's own path needs nothing."""
    return shlex.quote(str(path)).replace("$", "$$")


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The kubelet's expansion: `$(NAME)` where the container's environment has it, `$$` to `$`."""

    def replace(found: re.Match[str]) -> str:
        name = found.group(1)
        return "$" if name is None else environment.get(name, found.group(0))

    return _EXPANSION.sub(replace, text)
