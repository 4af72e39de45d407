"""The trial's arguments against the base config: names, types, meanings, swaps, and the data that can be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import map_paths, mounted_text, mounts_here
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.experiment.trial_command import TrialCommand
from boxtune.problems import Problem, error, note, warning
from trial_entry.arguments import parse_arguments, surroundings_of
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.checks import check_config
from trial_entry.pipeline_config.inputs import readers, record_files, resolve_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import Assignment, assign
from trial_entry.pipeline_config.text import parse_config
from trial_entry.records.dataset import glance
from trial_entry.storage.buckets import is_remote

# Parameters that decide together what fits: each combination of their values is tried.
_STRUCTURE = ("model", "feature_extractor", "optimizer", "image_size")
_MOST_COMBINATIONS = 256
_EXAMPLES = 1000  # of a data set that nobody has counted: enough for any number of epochs to be valid
_LENGTHS = ("epochs", "num_steps")


class ConfigCheck:
    """The base config of an Experiment's trials, with what its arguments make of it."""

    def __init__(
        self, experiment: Experiment, command: TrialCommand, config: Path | None, volumes: Mapping[str, Path]
    ) -> None:
        """
        Args:
            config: the base config, where it is not in the Experiment's ConfigMaps.
            volumes: folder by the name of a volume or claim.
        """
        self._experiment = experiment
        self._command = command
        self.where = f"{command.path}.args"
        self._mounts = mounts_here(command.pod, command.container, volumes)
        self._config = config
        self._specs = {spec.name: spec for spec in experiment.parameters}

    def problems(self) -> Iterator[Problem]:
        """Everything about arguments, config and data."""
        arguments = self._command.arguments
        if arguments[3:4] == ["evaluate"] or arguments[3:4] == ["stop"]:
            yield error(self.where, f"the trials run {arguments[3]}, which trains nothing", "leave it out")
            return
        first = {name: _values(spec)[0] for name, spec in self._specs.items()}
        try:
            parsed = self._parsed(first)
        except RequestError as problem:
            yield error(self.where, str(problem), "", "every trial fails")
            return
        yield from self._model_dir(str(parsed.model_dir))
        yield from self._steps(parsed.assignments)
        config = self._base(str(parsed.pipeline_config_path))
        if isinstance(config, str):
            yield note("", config)
            return
        try:
            base = parse_config(*config)
        except RequestError as problem:
            yield error("", str(problem), "", "every trial fails")
            return
        problems = list(self._values(base))
        yield from problems
        if not problems:
            yield from self._whole(base, first, config[1])

    def combinations(self) -> Iterator[Assignments]:
        """One choice of assignments for each model that the space can name."""
        sets = self._command.sets()
        structural = [spec for name, spec in self._specs.items() if sets.get(name) in _STRUCTURE]
        first = {name: _values(spec)[0] for name, spec in self._specs.items()}
        for number, values in enumerate(product(*map(_values, structural))):
            if number >= _MOST_COMBINATIONS:
                return
            yield first | {spec.name: value for spec, value in zip(structural, values, strict=True)}

    def arguments(self, assignments: Assignments) -> list[str]:
        """The trial's arguments (after `python -m trial_entry`) with `assignments`, and this machine's paths."""
        filled = [map_paths(text, self._mounts) for text in self._command.filled(assignments)]
        return filled[3:]

    def assigned(self, assignments: Assignments) -> dict[str, str]:
        """What a trial with `assignments` sets, by alias or field path."""
        return {each.name: each.value for each in self._parsed(assignments).assignments}

    def base_text(self) -> tuple[str, str] | None:
        """The base config's text and where it is from; None where it cannot be seen."""
        first = {name: _values(spec)[0] for name, spec in self._specs.items()}
        found = self._base(str(self._parsed(first).pipeline_config_path))
        return None if isinstance(found, str) else found

    def _parsed(self, assignments: Assignments) -> Any:
        return parse_arguments(self.arguments(assignments))

    def _base(self, path: str) -> tuple[str, str] | str:
        """The base config's text and name, or why it cannot be seen."""
        left_out = "the parameters' types and the data were not checked"
        if self._config is not None:
            return _read(self._config)
        if self._mounts and Path(path).is_file():
            return _read(Path(path))
        text = mounted_text(self._command, path, self._experiment.config_maps)
        if text is not None:
            return text, path
        return f"{path}: not in the Experiment's ConfigMaps, so {left_out}; give it with --config FILE"

    def _values(self, base: TrainEvalPipelineConfig) -> Iterator[Problem]:
        """Each parameter at both ends or at every value, within each combination of the structural ones."""
        said: set[tuple[str, str]] = set()
        first = next(self.combinations())
        tried = [*self.combinations()]
        numbers = {spec.name: number for number, spec in enumerate(self._experiment.parameters)}
        for name, spec in self._specs.items():
            tried += [first | {name: value} for value in _values(spec)]
        for assignments in tried:
            problem = self._problem(base, assignments)
            if problem is None:
                continue
            blamed = self._blamed(base, first, assignments)
            if (blamed, problem) not in said:
                said.add((blamed, problem))
                path = f"spec.parameters.{numbers[blamed]}.feasibleSpace" if blamed else self.where
                yield error(path, problem, "", "every such trial fails")

    def _problem(self, base: TrainEvalPipelineConfig, assignments: Assignments) -> str | None:
        """What the trial would say of `assignments`, or None."""
        config = TrainEvalPipelineConfig()
        config.CopyFrom(base)
        try:
            parsed = self._parsed(assignments)
            assign(config, parsed.assignments, surroundings_of(parsed, lambda _: _EXAMPLES))
        except RequestError as problem:
            return str(problem)
        return None

    def _blamed(self, base: TrainEvalPipelineConfig, first: Assignments, assignments: Assignments) -> str:
        """The parameter whose value is at fault: the first that alone makes the difference, or empty."""
        changed = [name for name, value in assignments.items() if value != first[name]]
        for name in changed:
            if self._problem(base, first | {name: assignments[name]}) is not None:
                return name
        if changed:
            return changed[0]
        sets = self._command.sets()
        problem = self._problem(base, first) or ""
        return next((name for name, field in sets.items() if problem.startswith(f"{field}:")), "")

    def _whole(self, base: TrainEvalPipelineConfig, first: Assignments, where: str) -> Iterator[Problem]:
        """The whole config with its first assignments, and its data where they can be seen."""
        parsed = self._parsed(first)
        config = TrainEvalPipelineConfig()
        config.CopyFrom(base)
        assign(config, parsed.assignments, surroundings_of(parsed, lambda _: _EXAMPLES))
        try:
            check_config(config, where)
        except RequestError as problem:
            yield error("", str(problem), "", "every trial fails")
            return
        unseen = [path for path in _paths(config) if not self._is_seen(path)]
        if unseen:
            how = "in a bucket" if is_remote(unseen[0]) else "not seen from here"
            hint = "" if is_remote(unseen[0]) else "give --volume NAME=DIR"
            yield note("", f"{unseen[0]}: {how}, so the data were not opened", hint)
            return
        try:
            resolve_paths(config, Path(where).parent)
            glance(config)
        except RequestError as problem:
            yield error("", str(problem), "", "every trial fails")

    def _is_seen(self, path: str) -> bool:
        """Whether this machine can say anything about a path: a bucket it cannot, a mounted folder it can."""
        folders = [str(folder) for folder in self._mounts.values()]
        return any(path.startswith(folder) for folder in folders)

    def _model_dir(self, path: str) -> Iterator[Problem]:
        own = [text for text in self._command.arguments if text.startswith("--model_dir")]
        per_trial = any("${trialParameters." in text for text in own)
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

    def _steps(self, assignments: Sequence[Assignment]) -> Iterator[Problem]:
        """A search over the batch size with a fixed number of steps gives larger batches more images."""
        searched = set(self._command.sets().values())
        lengths = {each.name for each in assignments}
        if (
            searched & {"batch_size", "train_config.batch_size"}
            and not lengths & {"epochs"}
            and not searched & set(_LENGTHS)
        ):
            yield warning(
                self.where,
                "batch_size is searched with a fixed number of steps, so larger batches see more images",
                "set epochs",
            )


def _values(spec: ParameterSpec) -> list[str]:
    """Both ends of a range, or every listed value."""
    return list(spec.values) if spec.values else list(dict.fromkeys((spec.text(spec.low), spec.text(spec.high))))


def _paths(config: TrainEvalPipelineConfig) -> list[str]:
    found = [path for _, reader in readers(config) for path in (*record_files(reader), reader.label_map_path)]
    checkpoint = config.train_config.fine_tune_checkpoint
    return [*found, *([checkpoint] if checkpoint else [])]


def _read(path: Path) -> tuple[str, str]:
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as problem:
        raise ExperimentError(f"{path}: cannot be read: {problem}") from None
