"""Delivery's measurements of repeats: each checkpoint evaluated on one split, once, and what the images contribute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from boxtune.data.image_groups import image_groups
from boxtune.data.importing.splitting import Grouping
from boxtune.delivery.asking import request_errors
from boxtune.delivery.measured_split import Split
from boxtune.errors import BoxtuneError, InputError
from boxtune.execution.jobs import EndedJob, Job
from boxtune.local.outcome import last_words
from boxtune.local.repeats import Repeater
from boxtune.runs.confirmation import Images
from boxtune.runs.endings import code_in_words
from boxtune.runs.trial import Trial
from trial_entry.contract.exit_codes import EXIT_MEASURED, EXIT_REQUEST
from trial_entry.contract.files import BEST_FOLDER, CHECKPOINT_FILE, CONFIG_FILE, EVALUATION_FILE
from trial_entry.contract.records import EvaluationRecord, read_evaluation
from trial_entry.contract.requests import PROGRAM, EvaluateRequest
from trial_entry.measuring.bootstrap import Floats, difference_interval, drawn_metrics
from trial_entry.measuring.detections_file import NamedDetections
from trial_entry.storage.urls import Remote

_DETECTIONS = "detections.json"
_LOG = "output.log"


class RepeatMeasurements:
    """What repeats of a run measure on a split, each in a folder of its name in the repeat's own.

    Attributes:
        evaluations: of each that was measured, by the repeat's name.
    """

    def __init__(self, repeater: Repeater, split: Split) -> None:
        self.evaluations: dict[str, EvaluationRecord] = {}
        self._repeater = repeater
        self._split = split
        self._folders: dict[str, Path] = {}
        self._metric = repeater.run.experiment.objective.metric

    def measure(self, repeats: Iterable[Trial]) -> None:
        """Evaluate those that were not evaluated before, as many at a time as there is room for.

        Raises:
            InputError, BoxtuneError: one cannot be, on the test split; of the validation split the trials' own numbers
                do, and what its images contribute is not known then.
            Interrupted: a signal.
        """
        if self._split.config is None or not self._repeater.template.is_own:
            return
        waiting: dict[str, Trial] = {}
        for trial in repeats:
            assert trial.folder is not None  # it was trained here
            # By its records: what was measured on others is no value of this split.
            self._folders[trial.name] = trial.folder / "-".join(
                filter(None, (self._split.name, self._split.digest[:12]))
            )
            if not self._take(trial.name):
                waiting[self._job_name(trial)] = trial
        failures: list[BoxtuneError] = []

        def done(ended: EndedJob) -> None:
            trial = waiting[ended.job.name]
            if ended.code != EXIT_MEASURED or not self._take(trial.name):
                failures.append(_failure(trial, self._split, ended))

        self._repeater.execute([self._job(trial) for trial in waiting.values()], done)
        if failures and self._split.is_test:
            raise failures[0]

    def value(self, repeat: str, own: float) -> float:
        """Of the objective: on the test split what was evaluated, on the validation split what the trial itself said.

        Raises:
            InputError: the test split has nothing to measure it by.
        """
        if not self._split.is_test:
            return own
        found = self.evaluations[repeat].metrics.get(self._metric)
        if found is None:
            raise InputError(
                f"the test split: {repeat} has no {self._metric} there: no object to measure it by (--split validation "
                "measures on that one)"
            )
        return found

    def images(self, compared: Sequence[Sequence[str]], group: str) -> Images | None:
        """What the images alone contribute to the difference of two configs' means, or to the mean of one; None where
        it cannot be told.

        Args:
            compared: names of the repeats of each config.
            group: what groups images besides the import's table.
        """
        names: list[list[str]] = []
        drawn: list[list[Floats]] = []
        groups: list[str] = []
        for repeats in compared:
            drawn.append([])
            for repeat in repeats:
                if repeat not in self.evaluations:
                    return None
                with request_errors():
                    held = NamedDetections.read(self._folders[repeat] / _DETECTIONS)
                names.append([held.names.get(each["id"], str(each["id"])) for each in held.detections.images])
                groups = image_groups(names[-1], self._split.tables, Grouping(group))
                metrics = drawn_metrics(held.detections, held.class_names, self._threshold(repeat), groups)
                if self._metric not in metrics or names[-1] != names[0]:
                    return None
                drawn[-1].append(metrics[self._metric])
        ends = difference_interval(drawn[0], drawn[1] if len(drawn) > 1 else [])
        return Images(*ends, len(groups), len(set(groups))) if ends is not None else None

    def _take(self, name: str) -> bool:
        """What is measured already; its evaluation is written last."""
        folder = self._folders[name]
        if not (folder / EVALUATION_FILE).is_file():
            return False
        with request_errors():
            self.evaluations[name] = read_evaluation(folder)
        return True

    def _job_name(self, trial: Trial) -> str:
        return f"{trial.name}/{self._split.name}"

    def _job(self, trial: Trial) -> Job:
        command, folder = self._repeater.command(trial), self._folders[trial.name]
        folder.mkdir(parents=True, exist_ok=True)
        model_dir = self._repeater.model_dir(trial)
        request = EvaluateRequest(
            pipeline_config_path=model_dir / CONFIG_FILE,
            model_dir=self._checkpoints(model_dir),
            score_threshold=self._threshold(trial.name),
            reader=self._split.reader,
            output=folder / EVALUATION_FILE,
            detections=folder / _DETECTIONS,
        )
        argv = (*PROGRAM, *request.argv())
        return Job(self._job_name(trial), argv, command.environment, command.folder, folder / _LOG)

    def _checkpoints(self, model_dir: Path | Remote) -> Path | Remote:
        """The folder of the checkpoint that the objective's value is of: the best, or the last where that counts."""
        objective = self._repeater.run.experiment.objective
        best = model_dir / BEST_FOLDER
        if objective.strategies[objective.metric] == "latest" or isinstance(best, Remote):
            return model_dir
        return best if (best / CHECKPOINT_FILE).is_file() else model_dir

    def _threshold(self, name: str) -> float:
        trial = next(each for each in self._repeater.run.repeats if each.name == name)
        return self._repeater.request(trial).score_threshold


def _failure(trial: Trial, split: Split, ended: EndedJob) -> BoxtuneError:
    said = last_words(ended.job.log)
    what = f"{trial.name} on the {split.name} split"
    if ended.code == EXIT_REQUEST:
        return InputError(f"{what}: {said}")
    return BoxtuneError(f"{what}: {ended.why or code_in_words(ended.code, True)}: {said} (log: {ended.job.log})")
