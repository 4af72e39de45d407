"""Delivery's publishing: a model as a version in a folder or a bucket, whole or not there, never overwritten.

DEST/VERSION/
    claim.json             first: whose version it is; the same command goes on with it
    pipeline.config, label_map.pbtxt
    checkpoint/            as the API publishes its own: ckpt-STEP and a `checkpoint` that names it
    saved_model/, model.tflite, … metadata.json, export.json
    metrics.json, trial.json, training.json
    test/                  measured.json, report.html
    MODEL_CARD.md, reproduction.yaml
    manifest.json          last: every file with its checksum
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.delivery.asking import request_errors, to_standard_error
from boxtune.delivery.history import PUBLISHED, Event, remember
from boxtune.delivery.manifest import MANIFEST_FILE, FileRecord, Manifest
from boxtune.delivery.measured_page import PAGE_FILE
from boxtune.delivery.measured_record import MEASURED_FILE, MeasuredRecord, read_measured
from boxtune.delivery.model import CHECKPOINT_FOLDER, Model
from boxtune.delivery.model_card import CARD_FILE, CardFacts, model_card
from boxtune.delivery.record_files import record_content
from boxtune.delivery.reproduction import REPRODUCTION_FILE, Reproduction, reproduction_of
from boxtune.delivery.training_record import TRAINING_FILE, read_training
from boxtune.delivery.versions import choose_version, claimed, refuse_damaged, version_manifest
from boxtune.errors import InputError
from trial_entry.contract.exports import ExportRecord, read_export
from trial_entry.contract.files import (
    CHECKPOINT_FILE,
    CONFIG_FILE,
    EXPORT_FILE,
    EXPORT_FOLDER,
    LABEL_MAP_FILE,
    METRICS_FILE,
    TRIAL_FILE,
)
from trial_entry.contract.versions import boxtune_version
from trial_entry.pipeline_config.existing import absolute_path
from trial_entry.pipeline_config.inputs import TEST
from trial_entry.pipeline_config.text import read_config
from trial_entry.records.label_map import read_label_map
from trial_entry.storage.paths import local_file
from trial_entry.storage.store import open_store
from trial_entry.storage.urls import is_remote, refuse_writing


@dataclass(frozen=True)
class PublishOptions:
    """How a model is to be published.

    Attributes:
        destination: a folder or gs://BUCKET/PREFIX that holds the versions.
        name: of the model; None for the destination's last part.
        version: None for the next number.
        exports: whether the model must have been exported.
        export: the folder that it was exported to; None for the model's own.
        evaluation: the folder with what was measured on the test split; None for the model's own.
    """

    destination: str
    name: str | None = None
    version: str | None = None
    exports: bool = True
    export: Path | None = None
    evaluation: Path | None = None


@dataclass(frozen=True)
class Published:
    """A published version.

    Attributes:
        place: its folder or prefix.
        manifest: what it holds.
        fresh: whether it was published now.
    """

    place: str
    manifest: Manifest
    fresh: bool


@dataclass(frozen=True)
class _Parts:
    """What is known of a model that is to be published."""

    model: Model
    files: Mapping[str, Path]  # its own, by their names in the version
    test: MeasuredRecord | None
    export: ExportRecord | None

    def digest(self, hashed: Mapping[str, FileRecord]) -> str:
        """SHA-256 over names and checksums."""
        lines = (f"{name} {hashed[name].sha256}\n" for name in sorted(self.files))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def publish(model: Model, options: PublishOptions, say: Callable[[str], None] = to_standard_error) -> Published:
    """Publish a model; where it is published already, that version is given again.

    Killed at any moment, the same call goes on; a reader who looks for manifest.json first never sees half a version.

    Args:
        say: is told what happens, a line at a time.

    Raises:
        InputError: the model is not ready to be published, the version exists, or the destination cannot be written.
    """
    if model.is_published:
        raise InputError(f"{model.place}: is a published version already; copy it, or publish the model it was made of")
    name = options.name or _last_part(options.destination)
    with request_errors():
        if is_remote(options.destination):
            refuse_writing(options.destination)
        parts = _parts(model, options, say)
        store = open_store(options.destination)
        hashed = {each: FileRecord.of(path) for each, path in parts.files.items()}
        digest = parts.digest(hashed)
        version, done = choose_version(store, options.version, digest)
        place = f"{options.destination.rstrip('/')}/{version}"
        if done is not None:
            refuse_damaged(place, store, version, done)
            return Published(place, done, fresh=False)
        claim = claimed(store, version, digest)
        say(f"publishing {sum(each.bytes for each in hashed.values()) / 2**20:.1f} MiB to {place}")
        with tempfile.TemporaryDirectory(prefix="boxtune-publish-") as folder:
            written = _write(Path(folder), parts, name, version, claim.created)
            hashed |= {each: FileRecord.of(path) for each, path in written.items()}
            for each, path in sorted({**parts.files, **written}.items()):
                store.put(f"{version}/{each}", path)
        manifest = Manifest(name, version, claim.created, digest, hashed, boxtune_version())
        if not store.write_new(f"{version}/{MANIFEST_FILE}", record_content(manifest)):
            manifest = version_manifest(store, version)  # another publisher of the same was quicker
    remember(model.log, Event(PUBLISHED, model.place, place=place))
    return Published(place, manifest, fresh=True)


def _last_part(destination: str) -> str:
    if is_remote(destination):
        return destination.rstrip("/").rpartition("/")[2]
    return Path(destination).resolve().name


def _parts(model: Model, options: PublishOptions, say: Callable[[str], None]) -> _Parts:
    """The model's own files.

    Raises:
        InputError: it was not exported, or another checkpoint was.
    """
    exported, tested = options.export or model.folder / EXPORT_FOLDER, options.evaluation or model.folder / TEST
    export = _export(model, options, exported)
    for given in (options.export, options.evaluation):
        if given is not None and not given.is_dir():
            raise InputError(f"{given}: no such folder")
    test = read_measured(tested)
    if test is None or test.checkpoint_digest != model.checkpoint_digest():
        why = "not measured on the test split" if test is None else "the test measured another checkpoint"
        say(f"note: {why}, and the model card says so; boxtune evaluate {model.place} measures it")
        test = None
    own = _own_files(model)
    if test is not None:
        own += [(f"{TEST}/{name}", tested / name) for name in (MEASURED_FILE, PAGE_FILE)]
    if export is None:
        own.append((LABEL_MAP_FILE, _label_map(model)))
    else:
        own += [(file.relative_to(exported).as_posix(), file) for file in exported.rglob("*")]
    return _Parts(model, {name: file for name, file in own if file.is_file()}, test, export)


def _export(model: Model, options: PublishOptions, folder: Path) -> ExportRecord | None:
    if not (folder / EXPORT_FILE).is_file():
        if options.exports:
            raise InputError(
                f"{folder}: not exported yet; boxtune export {model.place} does it (--without-exports publishes the "
                "checkpoint alone)"
            )
        return None
    export = read_export(folder)
    if export.checkpoint_digest != model.checkpoint_digest() or export.config_digest != model.config_digest():
        raise InputError(
            f"{folder}: is of another checkpoint ({export.checkpoint}); boxtune export {model.place} again"
        )
    return export


def _own_files(model: Model) -> list[tuple[str, Path]]:
    """What the training left, by the names in the version; not all of it need be there."""
    folder, prefix = model.folder, Path(model.checkpoint)
    own = [(name, folder / name) for name in (CONFIG_FILE, METRICS_FILE, TRIAL_FILE)]
    own.append((TRAINING_FILE, model.home / TRAINING_FILE))
    return own + [(f"{CHECKPOINT_FOLDER}/{file.name}", file) for file in prefix.parent.glob(f"{prefix.name}.*")]


def _label_map(model: Model) -> Path:
    path = read_config(model.config).eval_input_reader[0].label_map_path
    return local_file(absolute_path(path, model.config.parent))


def _write(folder: Path, parts: _Parts, name: str, version: str, created: str) -> dict[str, Path]:
    """What is written of the model anew: the card, how to make it again, the checkpoint's name."""
    model = parts.model
    training = read_training(model.home)
    made: Reproduction = reproduction_of(model, name, version, training, parts.test)
    labels = read_label_map(parts.files[LABEL_MAP_FILE]).labels
    facts = CardFacts(read_config(model.config), labels, made, training, parts.test, parts.export, created)
    texts = {
        CARD_FILE: model_card(facts),
        REPRODUCTION_FILE: made.text(),
        f"{CHECKPOINT_FOLDER}/{CHECKPOINT_FILE}": f'model_checkpoint_path: "{Path(model.checkpoint).name}"\n',
    }
    written = {}
    for place, text in texts.items():
        file = folder / place.replace("/", "-")
        file.write_text(text, encoding="utf-8")
        written[place] = file
    return written
