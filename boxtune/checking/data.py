"""The data that a config names, each path by itself: what can be seen from here is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import mounted_text, unprovided
from boxtune.experiment.trial_config import TrialConfig
from trial_entry.errors import RequestError
from trial_entry.finding import Finding
from trial_entry.pipeline_config.existing import absolute_path, existing_file, existing_files, existing_prefix
from trial_entry.pipeline_config.inputs import CHECKPOINT, KEYPOINT_LABEL_MAP, RECORDS, readers
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.checkpoint import name_fault
from trial_entry.pipeline_config.rules.paths import path_fault
from trial_entry.records.dataset import look_here
from trial_entry.records.reader_findings import same_file_findings
from trial_entry.storage.urls import is_remote, place_of

_ROOT = Path("/")
_Find = Callable[[str, Path, str], list[str]]


class DataCheck:
    """What can be said of the data of a config, whose paths are those of the trial's container."""

    def __init__(self, experiment: Experiment, trials: TrialConfig) -> None:
        self._experiment = experiment
        self._trials = trials
        self._folder = place_of(trials.path).parent  # of the config, from which relative paths are taken
        self._found: list[Finding] = []
        self._unopened: dict[tuple[str, str], list[str]] = {}  # paths by why they were not opened, and what to do

    def findings(self, config: TrainEvalPipelineConfig) -> Iterator[Finding]:
        """Of label maps, records and checkpoint, as far as they are here; `config` then names what is here."""
        named = TrainEvalPipelineConfig()
        named.CopyFrom(config)
        for (where, reader), (_, every) in zip(readers(config), readers(named), strict=True):
            reader.label_map_path = self._seen_file(reader.label_map_path, f"{where}.label_map_path")
            paths = reader.tf_record_input_reader.input_path
            files = [self._seen(path, f"{where}.{RECORDS}", existing_files) for path in paths]
            every.tf_record_input_reader.input_path[:] = [
                file for path, here in zip(paths, files, strict=True) for file in here or [path] if _may_be(file)
            ]
            paths[:] = [file for here in files for file in here]
        if path := config.model.center_net.keypoint_label_map_path:
            config.model.center_net.keypoint_label_map_path = self._seen_file(path, KEYPOINT_LABEL_MAP)
        prefix = config.train_config.fine_tune_checkpoint
        if name_fault(prefix) is None:
            self._seen(prefix, CHECKPOINT, _prefix)
        yield from self._found
        for (why, right), unopened in self._unopened.items():
            were = "they were" if len(unopened) > 1 else "it was"
            yield Finding("note", f"{', '.join(unopened)}: {why}, so {were} not opened", right)
        yield from same_file_findings(named)
        yield from look_here(config)

    def _seen_file(self, path: str, field: str) -> str:
        """The file itself; empty where it is not here."""
        return next(iter(self._seen(path, field, _file)), "")

    def _seen(self, path: str, field: str, find: _Find) -> list[str]:
        """What a path stands for on this machine; nothing where it is not here, which is kept as a finding."""
        here = self._here(path, field) if path and _may_be(path) else ""
        try:
            return find(here, _ROOT, field) if here else []
        except RequestError as wrong:
            self._found.append(Finding("error", str(wrong)))
            return []

    def _here(self, path: str, field: str) -> str:
        """The path on this machine of one in the container; empty where it cannot be seen, and it is said why."""
        if is_remote(path):
            self._leave(path, "in a bucket")
            return ""
        inside = PurePosixPath(absolute_path(path, self._folder))
        mounts = self._trials.mounts
        for mount in sorted(mounts, key=lambda each: len(each.parts), reverse=True):
            if inside.is_relative_to(mount):
                return str(mounts[mount] / inside.relative_to(mount))
        if any(inside.is_relative_to(folder) for folder in mounts.values()):
            return str(inside)
        self._say_unseen(path, str(inside), field)
        return ""

    def _leave(self, path: str, why: str, right: str = "") -> None:
        """Note that a path is not opened, once."""
        unopened = self._unopened.setdefault((why, right), [])
        if path not in unopened:
            unopened.append(path)

    def _say_unseen(self, path: str, inside: str, field: str) -> None:
        """Why a path of the container is not here."""
        command = self._trials.command
        volumes = {volume.name: volume for volume in command.pod.volumes or ()}
        mounts = sorted(command.container.volume_mounts or (), key=lambda each: len(each.mount_path), reverse=True)
        name = next((each.name for each in mounts if PurePosixPath(inside).is_relative_to(each.mount_path)), "")
        volume = volumes.get(name)
        relative = not path.startswith(("/", "~"))
        what = f"{path}: is relative, which the trial takes from its config's folder: {inside}"
        source = volume.config_map if volume is not None else None
        if source is not None and mounted_text(command, inside, self._experiment.config_maps) is not None:
            self._leave(path, "in the ConfigMap")
        elif source is not None and source.name in self._experiment.config_maps:
            where = what if relative else f"{path}: lies in a ConfigMap's folder"
            right = "write the path where a volume has it"
            self._found.append(Finding("error", f"{where}; the ConfigMap has no such file", right, feature=field))
        elif relative and volume is None:
            where = f"{what}, where no volume is mounted"
            self._found.append(Finding("warning", where, "write the whole path", feature=field))
        elif volume is None and not path.startswith("~") and (lacking := unprovided(command, inside, {})) is not None:
            self._found.append(Finding("warning", lacking.what, lacking.right, feature=field))
        else:
            self._leave(path, "not seen from here", f"give --volume {name or 'NAME'}=DIR")


def _may_be(path: str) -> bool:
    """Whether it is a path at all; else that was said of the config."""
    return path_fault(path) is None


def _file(path: str, folder: Path, field: str) -> list[str]:
    return [existing_file(path, folder, field)]


def _prefix(path: str, folder: Path, field: str) -> list[str]:
    return [existing_prefix(path, folder, field)]
