"""The trial's arguments against the base config: names, types, meanings, swaps, and the data that can be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path, PurePosixPath

from boxtune.checking.data import DataCheck
from boxtune.checking.model_place import place_problems
from boxtune.experiment.editing import LENGTH_ALIASES
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import unprovided
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand
from boxtune.experiment.trial_config import TrialConfig, trial_config
from boxtune.problems import Problem, error, note, warning
from trial_entry.contract.requests import MAXIMIZE, MINIMIZE, TrainRequest
from trial_entry.contract.unknown_arguments import unknown_arguments
from trial_entry.errors import AssignmentError, RequestError, UnknownArgumentError
from trial_entry.finding import Finding, errors_of
from trial_entry.pipeline_config.field_lines import FieldLines

# Parameters that decide together what fits: each combination of their values is tried.
_STRUCTURE = ("model", "feature_extractor", "optimizer", "image_size")
_MOST_COMBINATIONS = 256
_EVERY_TRIAL, _SUCH_TRIALS = "every trial fails", "every such trial fails"


class ConfigCheck:
    """The base config of an Experiment's trials, with what its arguments make of it."""

    def __init__(
        self,
        experiment: Experiment,
        command: TrialCommand,
        config: Path | None,
        volumes: Mapping[str, Path],
        text_lines: Mapping[str, int] | None = None,
    ) -> None:
        """
        Args:
            command: of trial_entry's own trials.
            config: the base config, where it is not in the Experiment's ConfigMaps.
            volumes: folder by the name of a volume or claim.
            text_lines: the line of the Experiment's file before its first, by a text of a ConfigMap there.
        """
        self._experiment = experiment
        self._command = command
        self._config = config
        self._volumes = volumes
        self._text_lines = text_lines or {}
        self._specs = {spec.name: spec for spec in experiment.parameters}
        self._first = {name: spec.ends[0] for name, spec in self._specs.items()}
        self.where = f"{command.path}.args"

    def problems(self) -> Iterator[Problem]:
        """Everything about arguments, config and data."""
        command = self._command.arguments[3:4]
        if command in (["evaluate"], ["stop"], ["build"], ["serve"]):
            yield error(self.where, f"the trials run {command[0]}, which trains nothing", "leave it out")
            return
        try:
            trials = trial_config(self._experiment, self._volumes, self._config)
            assert trials is not None  # its own trials
            given = trials.arguments(self._first)
        except RequestError as wrong:
            yield (
                self._unknown(wrong)
                if isinstance(wrong, UnknownArgumentError)
                else error(self.where, str(wrong), "", _EVERY_TRIAL)
            )
            return
        yield from place_problems(self._command, self.where)
        yield from self._steps({each.name for each in given.assignments})
        yield from self._best(given)
        if trials.base is None:
            path = str(given.pipeline_config_path)
            here = any(PurePosixPath(path).is_relative_to(folder) for folder in trials.mounts.values())
            lacking = None if here else unprovided(self._command, path, self._experiment.config_maps)
            if lacking is not None:
                yield replace(lacking, path=self._argument("--pipeline_config_path"))
            if lacking is not None and lacking.severity == "error":
                return
            why = "not in the Experiment's ConfigMaps, so the parameters' types and the data were not checked"
            yield note("", f"{trials.path}: {why}", "give it with --config FILE")
            return
        yield from self._values(trials)
        yield from self._changeless(trials)
        yield from self._ruled(trials)
        yield from self._whole(trials)

    def combinations(self) -> Iterator[Assignments]:
        """One choice of assignments for each model that the space can name."""
        sets = self._command.sets()
        structural = [spec for name, spec in self._specs.items() if sets.get(name) in _STRUCTURE]
        for number, values in enumerate(product(*(spec.ends for spec in structural))):
            if number >= _MOST_COMBINATIONS:
                return
            yield self._first | {spec.name: value for spec, value in zip(structural, values, strict=True)}

    def trials(self) -> TrialConfig | None:
        """The trials' config, once `problems` has found nothing in it; None where it cannot be seen."""
        found = trial_config(self._experiment, self._volumes, self._config)
        return found if found is not None and found.base is not None else None

    def _values(self, trials: TrialConfig) -> Iterator[Problem]:
        """Each parameter at both ends or at every value, within each combination of the structural ones; what does not
        come from a value is said once.
        """
        said: set[str] = set()
        first, *others = self._cases()
        for assignments in (first, *others):
            for wrong in trials.problems(assignments)[0]:
                if str(wrong) not in said:
                    said.add(str(wrong))
                    yield error(self._at_fault(trials, first, assignments, wrong), str(wrong), "", _SUCH_TRIALS)

    def _cases(self) -> Iterator[Assignments]:
        """The first values of all parameters, then what is to be tried beside them."""
        cases = list(self.combinations())
        yield from cases
        for name, spec in self._specs.items():
            yield from (cases[0] | {name: value} for value in spec.ends)

    def _place(self, name: str) -> str:
        """Of a parameter's values in the Experiment; of the arguments for an empty name."""
        number = next((number for number, each in enumerate(self._specs) if each == name), None)
        return self.where if number is None else f"spec.parameters.{number}.feasibleSpace"

    def _ruled(self, trials: TrialConfig) -> Iterator[Problem]:
        """What the config's rules refuse of other values than the first, whose findings are said as a whole."""
        first, *others = self._cases()
        known = set(_errors(trials, first))
        for assignments in others:
            new = [each for each in _errors(trials, assignments) if each not in known]
            known.update(new)
            changed = [name for name, value in assignments.items() if value != first[name]]
            for each in new:
                alone = (name for name in changed if each in _errors(trials, first | {name: assignments[name]}))
                yield error(self._place(next(alone, changed[0])), str(each), "", _SUCH_TRIALS)

    def _at_fault(self, trials: TrialConfig, first: Assignments, assignments: Assignments, wrong: RequestError) -> str:
        """The place of what is wrong: the parameter whose value it is, else the first that alone makes the difference,
        else the argument.
        """
        name = wrong.name if isinstance(wrong, AssignmentError) else ""
        feeding = next((parameter for parameter, sets in self._command.sets().items() if name and sets == name), "")
        changed = [parameter for parameter, value in assignments.items() if value != first[parameter]]
        if changed and feeding not in changed:
            alone = (each for each in changed if _says(trials, first | {each: assignments[each]}, wrong))
            return self._place(next(alone, changed[0]))
        return self._place(feeding) if feeding in self._specs else self._argument(name)

    def _argument(self, name: str) -> str:
        """The place of the argument that assigns `name`; of all arguments where none does."""
        if name:
            for part, texts in (("args", self._command.container.args), ("command", self._command.container.command)):
                for number, text in enumerate(texts or ()):
                    if text.removeprefix("--set=").startswith(f"{name}="):
                        return f"{self._command.path}.{part}.{number}"
        return self.where

    def _unknown(self, wrong: UnknownArgumentError) -> Problem:
        """Arguments that there are not, as the Experiment has them, at the first."""
        filled, written = self._command.filled(self._first), self._command.arguments
        numbers = [filled.index(each) if each in filled else -1 for each in wrong.arguments]
        texts = [
            written[number] if number >= 0 else each for number, each in zip(numbers, wrong.arguments, strict=True)
        ]
        own = numbers[0] - len(self._command.container.command or ())
        place = f"{self._command.path}.args.{own}" if own >= 0 else self.where
        on_katib = "" if any(" " in each for each in texts) else _EVERY_TRIAL  # its shell makes two of one
        return error(place, str(unknown_arguments(texts, wrong.flags, wrong.hint)), "", on_katib)

    def _changeless(self, trials: TrialConfig) -> Iterator[Problem]:
        """Parameters whose values all make the same config."""
        for number, (name, spec) in enumerate(self._specs.items()):
            digests = {trials.digest(self._first | {name: value}) for value in spec.ends}
            if len(spec.ends) > 1 and len(digests) == 1 and None not in digests:
                yield warning(
                    f"spec.parameters.{number}",
                    f"{name} changes nothing: {spec.ends[0]} and {spec.ends[-1]} make the same config",
                    "search something else, or leave it out",
                    "trials that differ in it alone measure the same again",
                )

    def _whole(self, trials: TrialConfig) -> Iterator[Problem]:
        """The whole config with its first assignments, and its data where they can be seen."""
        sound = trials.problems(self._first)[1]
        if sound is None:
            return
        assignments = trials.written(self._first, sound)
        base = trials.with_arguments(self._first)
        problem = partial(_problem, base.where, base.lines(), self._text_lines.get(base.text))
        wrong = base.findings(assignments)
        yield from map(problem, wrong)
        if any(each.feature == "model" for each in errors_of(wrong)):  # which data are held against
            return
        data = DataCheck(self._experiment, trials).findings(base.assigned(assignments))
        yield from map(problem, data)

    def _best(self, given: TrainRequest) -> Iterator[Problem]:
        """On a cluster a trial knows the objective from its arguments alone; a local run adds them."""
        objective, kept = self._experiment.objective, given.objective
        if objective.metric == kept.metric and objective.maximize != kept.minimize:
            return
        kind = MAXIMIZE if objective.maximize else MINIMIZE
        yield warning(
            self.where,
            f"the best checkpoint that a trial keeps is by {kept.metric}, not by the objective",
            f"add --objective_metric={objective.metric} and --objective_type={kind}; boxtune run adds them",
            "best/ has another checkpoint than the metric that is shown",
        )

    def _steps(self, assigned: set[str]) -> Iterator[Problem]:
        """A search over the batch size with a fixed number of steps gives larger batches more images."""
        several = {name for name, spec in self._specs.items() if len(spec.ends) > 1}
        searched = {sets for name, sets in self._command.sets().items() if name in several}
        by_batch = searched & {"batch_size", "train_config.batch_size"}
        if by_batch and "epochs" not in assigned and not searched & set(LENGTH_ALIASES):
            yield warning(
                self.where,
                "batch_size is searched with a fixed number of steps, so larger batches see more images",
                "set epochs",
            )


def _errors(trials: TrialConfig, assignments: Assignments) -> list[Finding]:
    """What of the config that `assignments` make cannot work, files aside and those left out that are wrong already."""
    sound = trials.problems(assignments)[1]
    return errors_of(trials.with_arguments(assignments).findings(sound)) if sound is not None else []


def _says(trials: TrialConfig, assignments: Assignments, wrong: RequestError) -> bool:
    """Whether a trial with `assignments` would say the same."""
    return str(wrong) in map(str, trials.problems(assignments)[0])


def _problem(config: str, lines: FieldLines, before: int | None, found: Finding) -> Problem:
    """What was found in the config of this name, at its line, or in the data, in the trial's words.

    Args:
        before: the line of the Experiment's file before the config's first; None where it is none of it.
    """
    on_katib = _EVERY_TRIAL if found.severity == "error" else ""
    if found.file or not found.feature:
        return Problem(found.severity, "", found.placed, found.right, on_katib)
    what, line = replace(found, feature="").placed, lines.of(found.feature)
    in_file = before + line if before is not None and line else 0
    return Problem(found.severity, found.feature, what, found.right, on_katib, in_file, config, line)
