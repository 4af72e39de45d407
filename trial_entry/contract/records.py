"""The contract's records: what the JSON files of a MODEL_DIR hold, one frozen dataclass a file or a row of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from trial_entry.contract.files import DETAILS_FILE, EVALUATION_FILE, METRICS_FILE, TRIAL_FILE
from trial_entry.contract.json_records import from_json, key, read_json, to_json
from trial_entry.contract.metrics import MAP, MAP_50
from trial_entry.errors import ModelDirError


@dataclass(frozen=True)
class MetricRow:
    """One evaluation: a row of metrics.json.

    Attributes:
        step: training steps of the checkpoint that was evaluated.
        timestamp: of its first metric line, RFC 3339.
        metrics: values by name, in the order of their lines.
    """

    step: int
    timestamp: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Divergence:
    """Where the watch over the training loss stands.

    Attributes:
        first: the first loss, None before there is one.
        smoothed: the smoothed loss, likewise.
        above: for how many steps in a row it has been too high.
    """

    first: float | None = None
    smoothed: float | None = None
    above: int = 0


@dataclass(frozen=True)
class Threads:
    """Of TensorFlow's pools; 0 for as many as there are cores.

    Attributes:
        intra_op: in one operation.
        inter_op: operations at a time.
    """

    intra_op: int = 0
    inter_op: int = 0


@dataclass(frozen=True)
class TrialRecord:
    """trial.json: what a trial was asked for, what it ran with, how it stands.

    Attributes:
        assignments: value by name.
        arguments: the command line, quoted for a shell.
        model_dir: the folder, as the trial knows it; below a --model_root its name is not in the arguments.
        seed: of everything random; None before a trial has begun.
        deterministic: whether the same seed gives the same numbers.
        config_digest: SHA-256 of the config without its input paths.
        data_digests: SHA-256 by the reader's name.
        num_train_examples: how many there are.
        started: RFC 3339, each time that the trial was started.
        ended: when it ended last; None before.
        reason: why it ended ("measured" when all is well), or "running".
        peak_memory_mib: of the process that ended last.
        versions: by package.
        devices: TensorFlow's names.
        threads: of TensorFlow.
        steps: training steps of the last checkpoint.
        divergence: the watch over the loss at that checkpoint; None before there is one.
        diverged: why the training has diverged; None where it has not.
        others: keys that this version does not know, as they are.
    """

    assignments: Mapping[str, str] = field(default_factory=dict)
    arguments: str = ""
    model_dir: str = ""
    seed: int | None = None
    deterministic: bool = False
    config_digest: str = ""
    data_digests: Mapping[str, str] = field(default_factory=dict)
    num_train_examples: int | None = None
    started: tuple[str, ...] = ()
    ended: str | None = None
    reason: str = ""
    peak_memory_mib: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    threads: Threads | None = None
    steps: int = 0
    divergence: Divergence | None = None
    diverged: str | None = None
    others: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: object, where: str) -> TrialRecord:
        """Raises ModelDirError where `value` is no such record; `where` names the file."""
        known = {each.name for each in fields(cls)}
        if isinstance(value, Mapping):
            others = {name: each for name, each in value.items() if name not in known}
            value = {**{name: value[name] for name in value if name not in others}, "others": others}
        return from_json(cls, value, where)

    def to_json(self) -> dict[str, object]:
        """What `from_json` reads."""
        found = to_json(self)
        del found["others"]
        return {**found, **self.others}


@dataclass(frozen=True)
class EvaluationRecord:
    """evaluation.json: one evaluation, and the checkpoint that it was of.

    Attributes:
        checkpoint: its prefix.
        step, timestamp, metrics: as in a MetricRow.
    """

    checkpoint: str
    step: int
    timestamp: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class BuildRecord:
    """What became of one case of `build`.

    Attributes:
        assignments: of the case, value by name.
        error: why no model can be built, in one line; None where one was.
        weights: how many numbers it trains; None where there is no model.
        seconds: that it took.
    """

    assignments: Mapping[str, str]
    error: str | None
    weights: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class ClassRecord:
    """One class of an evaluation, in details.json.

    Attributes:
        name: its label.
        objects: how many there are, crowds left out.
        average_precision: over IoU 0.5 to 0.95.
        average_precision_50: at IoU 0.5.
        precision, recall: at IoU 0.5 and the score threshold; None where there is nothing to measure.
        curve: precision at IoU 0.5, at recall 0, 0.01, … 1.
    """

    name: str
    objects: int
    average_precision: float | None = field(metadata=key(MAP))
    average_precision_50: float | None = field(metadata=key(MAP_50))
    precision: float | None
    recall: float | None
    curve: tuple[float, ...]


@dataclass(frozen=True)
class BoxRecord:
    """One box of a picture.

    Attributes:
        label: of its class.
        box: left, top, width and height as shares of the picture's edges.
        score: of a detection; None of ground truth.
    """

    label: str = field(metadata=key("class"))
    box: tuple[float, ...]
    score: float | None = None


@dataclass(frozen=True)
class PictureRecord:
    """One picture of details.json.

    Attributes:
        id: of the image.
        file: its JPEG, in the same folder.
        width, height: of the JPEG in pixels.
        truth, found: boxes.
        name: of the image's file; empty where the records have none.
    """

    id: int
    file: str
    width: int
    height: int
    truth: tuple[BoxRecord, ...] = ()
    found: tuple[BoxRecord, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class DetailsRecord:
    """details.json: what a report shows of one evaluation.

    Attributes:
        score_threshold: below it a detection is not drawn.
        classes: those that have an object, in the order of the label map.
        images: the pictures.
        num_images: how many were evaluated.
        pictures: how many were asked for.
    """

    score_threshold: float
    classes: tuple[ClassRecord, ...]
    images: tuple[PictureRecord, ...]
    num_images: int
    pictures: int


def read_trial(folder: Path) -> TrialRecord:
    """trial.json of a MODEL_DIR; an empty record where there is none.

    Raises:
        ModelDirError: it is no such record.
    """
    file = folder / TRIAL_FILE
    value = read_json(file)
    return TrialRecord() if value is None else TrialRecord.from_json(value, str(file))


def read_rows(folder: Path) -> list[MetricRow]:
    """The rows of a MODEL_DIR's metrics.json, oldest first; none where there is no such file.

    Raises:
        ModelDirError: it holds something else.
    """
    file = folder / METRICS_FILE
    return [from_json(MetricRow, row, f"{file}: row {place}") for place, row in enumerate(_list(file), start=1)]


def read_build(file: Path) -> list[BuildRecord]:
    """What build.json says of each case, in their order.

    Raises:
        ModelDirError: it holds something else.
    """
    return [from_json(BuildRecord, each, f"{file}: case {place}") for place, each in enumerate(_list(file), start=1)]


def read_evaluation(folder: Path) -> EvaluationRecord:
    """evaluation.json of a folder.

    Raises:
        ModelDirError: it is missing, or no such record.
    """
    return from_json(EvaluationRecord, read_json(folder / EVALUATION_FILE), str(folder / EVALUATION_FILE))


def read_details(folder: Path) -> DetailsRecord | None:
    """details.json of a folder; None where there is none.

    Raises:
        ModelDirError: it is no such record.
    """
    value = read_json(folder / DETAILS_FILE)
    return None if value is None else from_json(DetailsRecord, value, str(folder / DETAILS_FILE))


def _list(file: Path) -> list[object]:
    value = read_json(file)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ModelDirError(f"{file}: holds no list; it was damaged, or is another's")
    return value
