"""The first step's look at files that lie outside the places it is given: those that annotations and configs name.

Images may lie beside their annotations, a label map or a checkpoint to begin from anywhere that the step sees. What
other steps read of these must be in the cache's key too, so they are digested like the rest.
"""

from __future__ import annotations

import glob
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxtune.data.findings import Findings
from boxtune.data.formats.catalogue import read_annotations
from boxtune.data.formats.source import Source
from boxtune.delivery.asking import request_errors
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import map_paths
from boxtune.experiment.trial_config import TrialConfig, trial_config
from pipelines.steps.datasets import volumes_here
from pipelines.steps.given import place_digest
from pipelines.steps.stores import opened
from trial_entry.contract.files import CONFIG_FILE
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.existing import absolute_path
from trial_entry.pipeline_config.inputs import all_readers, record_files
from trial_entry.storage.paths import is_file, is_pattern, local_file, matching
from trial_entry.storage.urls import Remote, is_remote

_NOWHERE = "/nowhere"  # that relative paths are taken from where a config has no data yet


def images_digest(annotations: str, name: str) -> str:
    """SHA-256 of the images that annotations name, where nobody said in which folder they lie; empty where all of them
    lie below the annotations' own folder.

    Args:
        annotations: a path or URL, which is there.
        name: of their format; empty to find it by looking.

    Raises:
        AnnotationsError: no reader takes the annotations.
        InputError: there is no such format, or a bucket cannot be read.
    """
    if is_remote(annotations):  # the import fetches what lies beside a file, and all that is below a folder
        with request_errors():
            beside = not annotations.endswith("/") and is_file(opened(annotations))
        return place_digest(annotations.rpartition("/")[0]) if beside else ""
    with tempfile.TemporaryDirectory(prefix="boxtune-sources-") as scratch:
        source = Source(Path(annotations), None, Path(scratch), Findings())
        found = read_annotations(source, name)
        images = {image.file for image in found.images}
        known = (scratch, annotations)  # what is below a folder of annotations is in its own digest
        files = {*images, *found.files}
        return _digest(sorted(str(each) for each in files if not any(map(each.is_relative_to, known))))


def config_files_digest(text: str, data: str) -> str:
    """SHA-256 of what a pipeline.config names outside its data; empty where it names nothing there.

    Args:
        data: the folder or URL that its relative paths are taken from; empty where records are yet to be made, which
            take the place of those that it names.

    Raises:
        InputError: it is no config, or what it names cannot be read.
    """
    where = data.rstrip("/") or _NOWHERE
    with request_errors():
        base = BaseConfig.parse(text, f"{where}/{CONFIG_FILE}")
        folder: Path | Remote = Remote(where) if is_remote(where) else Path(where)
        paths = _paths(base) if data else [base.config.train_config.fine_tune_checkpoint]
        return _outside([absolute_path(path, folder) for path in paths], [where])


def experiment_files_digest(experiment: Experiment, volume: str, data: str) -> str:
    """SHA-256 of what the config and the arguments of an Experiment's trials name outside the data; empty where that
    is nothing which this step sees: what lies in ConfigMaps is in the Experiment itself.

    Args:
        volume: the pod's volume that the data stand for.
        data: their folder or URL; empty where there are none yet.

    Raises:
        ExperimentError: the pod has no such volume.
        InputError: what is named cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="boxtune-named-") as name:
        stand_in = Path(name).resolve()
        here = Path(data) if Path(data).is_dir() and data else stand_in
        with request_errors():
            trials = trial_config(experiment, volumes_here(experiment, volume, here))
            if trials is None:
                return ""
            given = _Trials(experiment, trials, stand_in, data)
            return _outside(given.paths(), [str(here.resolve()), data])


@dataclass(frozen=True)
class _Trials:
    """Trials whose data may lie in a bucket, in whose place an empty folder stands.

    Attributes:
        stand_in: that folder.
        data: the folder or URL of the records.
    """

    experiment: Experiment
    trials: TrialConfig
    stand_in: Path
    data: str

    def paths(self) -> list[str]:
        """All that may name a file: of the config, of the arguments, of what the search assigns."""
        first = {spec.name: spec.ends[0] for spec in self.experiment.parameters}
        asked = self.trials.arguments(first)
        base = self.trials.base or self._fetched_base()
        found = [str(asked.pipeline_config_path), *map(str, asked.fragments), *asked.checkpoints.values()]
        found += [each.value for each in asked.assignments]
        found += [value for spec in self.experiment.parameters for value in spec.ends]
        if base is not None:
            folder = base.folder
            found += [absolute_path(path, folder) for path in _paths(base)]
        return [map_paths(path, self.trials.mounts) for path in found]

    def _fetched_base(self) -> BaseConfig | None:
        """The base config where it lies in a bucket with the records."""
        path = Path(self.trials.path)
        if not is_remote(self.data) or not path.is_relative_to(self.stand_in):
            return None
        url = f"{self.data.rstrip('/')}/{path.relative_to(self.stand_in).as_posix()}"
        if not is_file(opened(url)):
            return None
        return BaseConfig.parse(local_file(url).read_text(encoding="utf-8"), str(path))


def _paths(base: BaseConfig) -> Iterator[str]:
    for _, reader in all_readers(base.config):
        yield reader.label_map_path
        yield from record_files(reader)
    yield base.config.train_config.fine_tune_checkpoint


def _outside(paths: Iterable[str], inside: Iterable[str]) -> str:
    """SHA-256 of those of `paths` that are absolute and not below a folder of `inside`; empty of none."""
    folders = [folder.rstrip("/") for folder in inside if folder]
    found = {
        path
        for path in paths
        if (is_remote(path) or PurePosixPath(path).is_absolute())
        and not any(path == folder or path.startswith(f"{folder}/") for folder in folders)
    }
    return _digest(sorted({file for path in found for file in _files(path)}))


def _files(path: str) -> list[str]:
    """What a name stands for: a file, what matches a pattern, a folder of fragments, or a checkpoint by its prefix."""
    if is_remote(path):
        opened(path)
    elif Path(path).is_dir():
        return [path]
    if is_file(path):
        return [path]
    return matching(path if is_pattern(path) else f"{glob.escape(path)}.*")


def _digest(files: Iterable[str]) -> str:
    """Of names and contents of those that are there; empty of none."""
    lines = [f"{file} {place_digest(file)}\n" for file in files if is_remote(file) or Path(file).exists()]
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""
