"""The step that looks at Experiment (or config) and records, as `boxtune check` and `boxtune data check` do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from boxtune.checking.check import CheckOptions, check
from boxtune.data.checking.record_check import RecordCheck, check_records
from boxtune.data.record_files import find_records
from boxtune.delivery.asking import request_errors
from boxtune.errors import InputError
from boxtune.experiment.loading import load_experiment
from boxtune.experiment.trial_config import trial_config
from boxtune.problems import Problem
from pipelines.steps.datasets import DIGEST, PLACE, dataset_folder, volumes_here
from pipelines.steps.digests import print_problems
from pipelines.steps.findings_page import findings_page
from pipelines.steps.given import written
from pipelines.steps.values import Values
from trial_entry.finding import Finding
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.inputs import TEST, TRAIN_READER, all_readers, record_files
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.records.look import RecordsLook
from trial_entry.records.reader_findings import shared_findings
from trial_entry.storage.paths import is_file, is_pattern, matching


@dataclass(frozen=True)
class DataAsked:
    """What is to be looked at.

    Attributes:
        experiment, config: texts; one of them is empty.
        path: of the Dataset artifact on this machine; empty where the data lie at `place`.
        place: the folder or URL of the records; empty where they lie in an artifact.
        digest: SHA-256 of the records.
        volume: the pod's volume that the folder stands for.
        split: that will be measured on.
    """

    experiment: str
    config: str
    path: str
    place: str
    digest: str
    volume: str
    split: str = TEST


@dataclass(frozen=True)
class _Looked:
    problems: Sequence[Problem]
    records: RecordCheck
    leaks: Sequence[str] = ()  # for which the test would be refused in the end

    @property
    def wrong(self) -> list[str]:
        """What cannot work."""
        findings = [str(each) for each in self.records.findings if each.severity == "error"]
        return [*(each.placed for each in self.problems if each.severity == "error"), *findings, *self.leaks]


def check_data(asked: DataAsked, page: Path, dataset: Values, metrics: Values) -> None:
    """Look at everything, write the page of what was found.

    Args:
        dataset: takes what the Dataset artifact says of itself.
        metrics: takes images and objects of each split, errors and warnings.

    Raises:
        InputError: something is wrong; what it is was printed, a line each.
    """
    dataset.keep({DIGEST: asked.digest, **({PLACE: asked.place} if asked.place else {})})
    folder = dataset_folder(asked.path, dataset.metadata)
    looked = _look(asked, folder)
    print_problems(looked.problems)
    for each in looked.records.findings:
        print(f"{each.severity}: {each}", flush=True)
    metrics.keep(_counts(looked))
    page.write_text(findings_page(asked.place or "records of the import", looked.problems, looked.records), "utf-8")
    wrong = looked.wrong
    if wrong:
        more = f"; {len(wrong) - 1} more, listed above" if len(wrong) > 1 else ""
        raise InputError(f"{wrong[0]}{more}")


def _look(asked: DataAsked, folder: Path) -> _Looked:
    if asked.experiment:
        file = written(asked.experiment)
        volumes = volumes_here(load_experiment(file), asked.volume, folder)
        problems = check(file, CheckOptions(volumes=volumes))
        if any(each.severity == "error" for each in problems):  # what the records are cannot be asked then
            return _Looked(problems, check_records(find_records([str(folder)])))
        config = _searched_config(file, volumes)
    else:
        problems = []
        with request_errors():
            config = BaseConfig.parse(asked.config, str(folder / "pipeline.config")).render([]).config
    if config is None:
        return _Looked(problems, check_records(find_records([str(folder)])))
    _refuse_no_split(asked.split, config)
    records = [path for _, reader in all_readers(config) for path in record_files(reader) if _is_here(path)]
    label_map = Path(config.train_input_reader.label_map_path)
    found = check_records(find_records(records, label_map if label_map.is_file() else None), config)
    return _Looked(problems, found, list(_leaks(asked.split, config, found)))


def _searched_config(file: Path, volumes: dict[str, Path]) -> TrainEvalPipelineConfig | None:
    """The config that trials run, with the first of every parameter's values; None where it cannot be seen."""
    experiment = load_experiment(file)
    with request_errors():
        trials = trial_config(experiment, volumes)
        if trials is None or trials.base is None:
            return None
        first = {spec.name: spec.ends[0] for spec in experiment.parameters}
        return trials.with_arguments(first).render(trials.arguments(first).assignments).config


def _refuse_no_split(split: str, config: TrainEvalPipelineConfig) -> None:
    if split == TEST and not any(reader.name == TEST for reader in config.eval_input_reader):
        raise InputError(
            f'split: no eval_input_reader of the config is called "{TEST}", so nothing could be measured in the end; '
            "add one (boxtune data import --config does), or set split to validation"
        )


def _leaks(split: str, config: TrainEvalPipelineConfig, records: RecordCheck) -> Iterator[str]:
    """Images of the test split that are trained on too, which `evaluate` refuses."""
    if split != TEST:
        return
    test = next(reader for reader in config.eval_input_reader if reader.name == TEST)
    trained, tested = (_looks(reader, records) for reader in (config.train_input_reader, test))
    for one, other in product(trained, tested):
        for found in shared_findings(TRAIN_READER, one, TEST, other):
            yield f"{found.what}; a test is of images that took no part"


def _looks(reader: InputReader, records: RecordCheck) -> list[RecordsLook]:
    patterns = record_files(reader)
    files = {Path(path) for each in patterns for path in (matching(each) if is_pattern(each) else [each])}
    return [split.look for split in records.splits if files.intersection(split.files)]


def _is_here(path: str) -> bool:
    return bool(matching(path)) if is_pattern(path) else is_file(path)


def _counts(looked: _Looked) -> dict[str, object]:
    counts: dict[str, object] = {}
    for split in looked.records.splits:
        counts[f"{split.name}_images"] = split.look.images
        counts[f"{split.name}_objects"] = split.look.boxes
    found: list[Problem | Finding] = [*looked.problems, *looked.records.findings]
    counts["warnings"] = sum(each.severity == "warning" for each in found)
    return counts
