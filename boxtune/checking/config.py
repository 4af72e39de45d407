"""The trial's arguments against the base config: names, types, meanings, swaps, and the data that can be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path, PurePosixPath

from boxtune.experiment.editing import LENGTH_ALIASES
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand
from boxtune.experiment.trial_config import TrialConfig, trial_config
from boxtune.problems import Problem, error, note, warning
from trial_entry.contract.requests import MAXIMIZE, MINIMIZE, TrainRequest
from trial_entry.errors import AssignmentError, RequestError
from trial_entry.pipeline_config.inputs import readers, record_files, resolve_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import look
from trial_entry.records.finding import Finding
from trial_entry.records.reader_findings import same_file_findings
from trial_entry.storage.urls import is_remote

# Parameters that decide together what fits: each combination of their values is tried.
_STRUCTURE = ("model", "feature_extractor", "optimizer", "image_size")
_MOST_COMBINATIONS = 256
_EVERY_TRIAL, _SUCH_TRIALS = "every trial fails", "every such trial fails"


class ConfigCheck:
    """The base config of an Experiment's trials, with what its arguments make of it."""

    def __init__(
        self, experiment: Experiment, command: TrialCommand, config: Path | None, volumes: Mapping[str, Path]
    ) -> None:
        """
        Args:
            command: of trial_entry's own trials.
            config: the base config, where it is not in the Experiment's ConfigMaps.
            volumes: folder by the name of a volume or claim.
        """
        self._experiment = experiment
        self._command = command
        self._config = config
        self._volumes = volumes
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
            yield error(self.where, str(wrong), "", _EVERY_TRIAL)
            return
        yield from self._model_dir(str(given.model_dir))
        yield from self._steps({each.name for each in given.assignments})
        yield from self._best(given)
        if trials.base is None:
            why = "not in the Experiment's ConfigMaps, so the parameters' types and the data were not checked"
            yield note("", f"{trials.path}: {why}", "give it with --config FILE")
            return
        found = list(self._values(trials))
        yield from found
        if not found:
            yield from self._changeless(trials)
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
        """Each parameter at both ends or at every value, within each combination of the structural ones."""
        said: set[tuple[str, str]] = set()
        numbers = {spec.name: number for number, spec in enumerate(self._experiment.parameters)}
        first, *others = self.combinations()
        for name, spec in self._specs.items():
            others += [first | {name: value} for value in spec.ends]
        for assignments in (first, *others):
            wrong = trials.problem(assignments)
            if wrong is None:
                continue
            blamed = self._blamed(trials, first, assignments, wrong)
            if (blamed, str(wrong)) not in said:
                said.add((blamed, str(wrong)))
                path = f"spec.parameters.{numbers[blamed]}.feasibleSpace" if blamed else self.where
                yield error(path, str(wrong), "", _SUCH_TRIALS)

    def _blamed(self, trials: TrialConfig, first: Assignments, assignments: Assignments, wrong: RequestError) -> str:
        """The parameter whose value is at fault: the first that alone makes the difference, or empty."""
        changed = [name for name, value in assignments.items() if value != first[name]]
        for name in changed:
            if trials.problem(first | {name: assignments[name]}) is not None:
                return name
        if changed:
            return changed[0]
        field = wrong.name if isinstance(wrong, AssignmentError) else ""
        return next((name for name, sets in self._command.sets().items() if sets == field), "")

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
        base, given = trials.with_arguments(self._first), trials.arguments(self._first)
        try:
            config = base.render(given.assignments, resolve=False).config
        except RequestError as wrong:
            yield error("", str(wrong), "", _EVERY_TRIAL)
            return
        unseen = [path for path in _paths(config) if not self._is_seen(trials, path)]
        if unseen:
            how = "in a bucket" if is_remote(unseen[0]) else "not seen from here"
            hint = "" if is_remote(unseen[0]) else "give --volume NAME=DIR"
            yield note("", f"{unseen[0]}: {how}, so the data were not opened", hint)
            yield from map(_problem, same_file_findings(config))
            return
        try:
            resolve_paths(config, base.folder)
        except RequestError as wrong:
            yield error("", str(wrong), "", _EVERY_TRIAL)
            return
        yield from map(_problem, look(config))

    def _is_seen(self, trials: TrialConfig, path: str) -> bool:
        """Whether this machine can say anything about a path: a bucket it cannot, a mounted folder it can."""
        return any(path.startswith(str(folder)) for folder in trials.mounts.values())

    def _model_dir(self, path: str) -> Iterator[Problem]:
        own = [text for text in self._command.arguments if text.startswith("--model_dir")]
        per_trial = any("${trialParameters." in text for text in own)
        if is_remote(path) and not per_trial:
            yield error(
                self.where,
                f"--model_dir={path} is the same place for every trial",
                "add a trialParameter with the reference ${trialSpec.Name} to it",
                "the second trial is refused the place",
            )
        claims = {volume.name: volume.persistent_volume_claim for volume in self._command.pod.volumes or ()}
        for mount in self._command.container.volume_mounts or ():
            inside, claim = PurePosixPath(path).is_relative_to(mount.mount_path), claims.get(mount.name)
            if inside and claim is not None and not per_trial and "${trialParameters." not in (mount.sub_path or ""):
                yield error(
                    self.where,
                    f"--model_dir={path} is the same folder of the claim {claim.claim_name} for every trial",
                    "add a trialParameter with the reference ${trialSpec.Name} to its path or to the mount's subPath",
                    "the second trial is refused the folder",
                )

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
        searched = set(self._command.sets().values())
        by_batch = searched & {"batch_size", "train_config.batch_size"}
        if by_batch and "epochs" not in assigned and not searched & set(LENGTH_ALIASES):
            yield warning(
                self.where,
                "batch_size is searched with a fixed number of steps, so larger batches see more images",
                "set epochs",
            )


def _paths(config: TrainEvalPipelineConfig) -> list[str]:
    found = [path for _, reader in readers(config) for path in (*record_files(reader), reader.label_map_path)]
    checkpoint = config.train_config.fine_tune_checkpoint
    return [*found, *([checkpoint] if checkpoint else [])]


def _problem(found: Finding) -> Problem:
    """What was found in the data, in the trial's words."""
    return Problem(found.severity, "", found.placed, found.right, _EVERY_TRIAL if found.severity == "error" else "")
