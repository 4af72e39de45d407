"""`feature_extractor` and `model`: whole blocks of the config, swapped for a fragment."""

from __future__ import annotations

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases.alias import Alias, Feasible, Surroundings, choices
from trial_entry.pipeline_config.aliases.training import set_checkpoint
from trial_entry.pipeline_config.fragments import BUILT_IN, PARTS, Fragment, copy_checkpoint
from trial_entry.pipeline_config.protos import DetectionModel, TrainEvalPipelineConfig

_OFFERED = 4  # feature extractors that are suggested beside the config's own


def _used(config: TrainEvalPipelineConfig, alias: str) -> str:
    meta_architecture = config.model.WhichOneof("model")
    if meta_architecture not in PARTS:
        raise AssignmentError(f"{alias}: the config's model is {meta_architecture or 'not set'}, none of {list(PARTS)}")
    return str(meta_architecture)


def _extractor(config: TrainEvalPipelineConfig, alias: str) -> str:
    return str(getattr(config.model, _used(config, alias)).feature_extractor.type)


def _assign_feature_extractor(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    """Swap in all parts of the fragment; the extractor that the config has already stays as it is."""
    if value == _extractor(config, "feature_extractor"):
        return
    meta_architecture = _used(config, "feature_extractor")
    fragment = surroundings.fragments.feature_extractor(value)
    if fragment.meta_architecture != meta_architecture:
        raise AssignmentError(
            f"feature_extractor: {value} belongs to {fragment.meta_architecture}, this config's model is "
            f"{meta_architecture}; assign model instead, or one of "
            f"{', '.join(surroundings.fragments.feature_extractors(meta_architecture))}"
        )
    model = getattr(config.model, meta_architecture)
    before = model.feature_extractor.type
    for part in PARTS[meta_architecture]:
        if fragment.model.HasField(part):
            model.ClearField(part)
    model.MergeFrom(fragment.model)
    _settle_checkpoint(config, f"feature_extractor={value}", before, fragment, surroundings)


def _assign_model(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    """Swap in the whole model; the number of classes stays, and the image size unless the fragment has one."""
    before = _extractor(config, "model")
    if value == before:
        return
    fragment = surroundings.fragments.model(value)
    old = getattr(config.model, _used(config, "model"))
    swapped = DetectionModel()
    swapped.CopyFrom(fragment.config.model)
    new = getattr(swapped, fragment.meta_architecture)
    new.num_classes = old.num_classes
    if not new.HasField("image_resizer"):
        new.image_resizer.CopyFrom(old.image_resizer)
    config.model.CopyFrom(swapped)
    _settle_checkpoint(config, f"model={value}", before, fragment, surroundings)


def _settle_checkpoint(
    config: TrainEvalPipelineConfig, said: str, before: str, fragment: Fragment, surroundings: Surroundings
) -> None:
    """What the swapped-in block starts from: by assignment, by the user's map, by the fragment, in this order."""
    if surroundings.checkpoint_assigned:
        return
    if fragment.name in surroundings.checkpoints:
        set_checkpoint(config, surroundings.checkpoints[fragment.name])
    elif not copy_checkpoint(fragment, config) and config.train_config.fine_tune_checkpoint:
        raise AssignmentError(
            f"{said}: train_config.fine_tune_checkpoint ({config.train_config.fine_tune_checkpoint}) was made for "
            f"{before}; say what the new one starts from: --checkpoint_for={fragment.name}=PREFIX (or none), or "
            "assign fine_tune_checkpoint"
        )


def _offered(config: TrainEvalPipelineConfig) -> Feasible | None:
    """None with a checkpoint: only the user knows what another extractor would start from."""
    if config.train_config.fine_tune_checkpoint:
        return None
    used = _extractor(config, "feature_extractor")
    others = [name for name in BUILT_IN.feature_extractors(_used(config, "feature_extractor")) if name != used]
    return choices(used, *others[: _OFFERED - 1])


SWAPS = (
    Alias(
        "model",
        "a whole model, also of another meta-architecture; classes and image size stay",
        lambda config: "model",
        _assign_model,
        lambda config: _extractor(config, "model"),
        lambda config: None,
    ),
    Alias(
        "feature_extractor",
        "the feature extractor with its anchors and box predictor; losses and post-processing stay",
        lambda config: f"model.{_used(config, 'feature_extractor')}.feature_extractor.type",
        _assign_feature_extractor,
        lambda config: _extractor(config, "feature_extractor"),
        _offered,
    ),
)
