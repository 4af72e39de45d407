"""What Katib's webhook refuses of an Experiment's metricsCollectorSpec, and filters that its collector cannot use.

Source: `validateMetricsCollector` in `validator.go` and `setDefaultMetricsCollector` in `experiment_defaults.go` of
Katib v0.19; for the filters also `cmd/metricscollector/v1beta1/file-metricscollector/main.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubeflow_katib_api.models import V1beta1FileSystemPath, V1beta1MetricsCollectorSpec

from boxtune.problems import REFUSED, Problem, error, warning

COLLECTORS = ("StdOut", "File", "TensorFlowEvent", "Custom", "Push")
_PROMETHEUS = "PrometheusMetric"
_WHERE = "spec.metricsCollectorSpec"
_FILE_PATH, _FORMATS = "fileSystemPath", "source.filter.metricsFormat"
_TWO_GROUPS = re.compile(r"\(.*\).*\(.*\)")
_BYTE = re.compile(r"(?<!\\)(\\\\)*\\C")  # RE2 takes it for a byte
_JOINED = ";"  # what Katib joins the filters with, and its collector splits them at


def collector_problems(given: V1beta1MetricsCollectorSpec) -> Iterator[Problem]:
    """Everything that is wrong with the collector, once Katib has filled in what is left out."""
    kind = (given.collector.kind or "") if given.collector is not None else "StdOut"
    if kind not in COLLECTORS:
        none = f"{kind or 'left out'} must be one of {', '.join(COLLECTORS)}"
        what = f"Katib v0.19's own katib-config has no image for {kind}" if kind == _PROMETHEUS else none
        yield _refused("collector.kind", what)
        return
    source = given.source
    file = source.file_system_path if source is not None else None
    filters = source.filter if source is not None else None
    if kind == "File":
        yield from _place(file, "File")
        yield from _format(file, filters is not None)
    elif kind == "TensorFlowEvent":
        yield from _place(file, "Directory")
        if file is not None and file.format:
            yield _refused(f"source.{_FILE_PATH}.format", f"{file.format}: must be left out for {kind}")
    elif kind == "Custom":
        if given.collector is None or given.collector.custom_collector is None:
            yield _refused("collector.customCollector", "must be given: the container that collects")
        if file is not None:
            yield from _custom_place(file)
    yield from _filters((filters.metrics_format if filters is not None else None) or (), kind)


def _refused(field: str, what: str, right: str = "") -> Problem:
    return error(f"{_WHERE}.{field}", what, right, REFUSED)


def _place(file: V1beta1FileSystemPath | None, kind: str) -> Iterator[Problem]:
    if file is None:
        return
    if file.kind and file.kind != kind:
        yield _refused(f"source.{_FILE_PATH}.kind", f"{file.kind} must be {kind}")
    if file.path and not file.path.startswith("/"):
        yield _refused(f"source.{_FILE_PATH}.path", f"{file.path} must be absolute")


def _custom_place(file: V1beta1FileSystemPath) -> Iterator[Problem]:
    if file.kind not in ("File", "Directory"):
        yield _refused(f"source.{_FILE_PATH}.kind", f"{file.kind or 'left out'}; must be File or Directory")
    if not (file.path or "").startswith("/"):
        yield _refused(f"source.{_FILE_PATH}.path", f"{file.path or 'left out'}; must be absolute")


def _format(file: V1beta1FileSystemPath | None, has_filter: bool) -> Iterator[Problem]:
    text = (file.format or "TEXT") if file is not None else "TEXT"
    if text not in ("TEXT", "JSON"):
        yield _refused(f"source.{_FILE_PATH}.format", f"{text} must be TEXT or JSON")
    if text == "JSON" and has_filter:
        yield _refused("source.filter", "must be left out for JSON")


def _filters(formats: Sequence[str], kind: str) -> Iterator[Problem]:
    """Filters that are no expressions; the webhook looks at those of other collectors than StdOut alone."""
    if kind == "Push":
        return
    for number, text in enumerate(formats):
        where = f"{_WHERE}.{_FORMATS}.{number}"
        wrong = _filter_problem(text)
        if wrong:
            yield error(
                where, f"{text}: {wrong}", "", "accepted; no metric is ever read" if kind == "StdOut" else REFUSED
            )
        elif _JOINED in text and kind in ("StdOut", "File"):
            yield from _split(text, where)


def _split(text: str, where: str) -> Iterator[Problem]:
    """A filter with a semicolon."""
    parts = text.split(_JOINED)
    broken = next((each for each in parts if _filter_problem(each)), None)
    if broken is not None:
        yield error(
            where,
            f'{text}: Katib splits filters at ";", and "{broken}" is none',
            r"write \x3B for a semicolon",
            "accepted; the collector ends with an error, and no metric ever arrives",
        )
    else:
        what = f'{text}: Katib splits filters at ";", so these are {len(parts)}'
        yield warning(where, what, "write each as one of its own")


def _filter_problem(text: str) -> str:
    """What is wrong with an expression; empty if nothing is."""
    import re2

    quiet = re2.Options()
    quiet.log_errors = False
    try:
        re2.compile(text, quiet)
    except re2.error as wrong:
        said = wrong.args[0]
        return f"not a regular expression of RE2: {said.decode() if isinstance(said, bytes) else said}"
    if _BYTE.search(text):
        return r"not a regular expression of Go's, which has no \C"
    return "" if _TWO_GROUPS.search(text) else "needs two groups, one for the name and one for the value"
