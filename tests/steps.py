"""Losses of training steps on the same batches from the same weights: `python -m tests.steps ours|stock CONFIG FOLDER`.

`ours` leaves batches and first weights in FOLDER for `stock`, which has the repairs that the API needs and nothing
else of ours: its own trace with AutoGraph and Grappler, as `model_lib_v2.train_loop` makes it.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

STEPS = 20
SEED = 5


def ours(config: TrainEvalPipelineConfig, folder: Path) -> list[dict[str, float]]:
    """By our Trainer; writes `weights-1.*` and `batches.pickle`."""
    from trial_entry.detection.runtime import autograph, start_runtime

    strategy = start_runtime(SEED, False)
    import tensorflow as tf

    from trial_entry.detection.model import build_model
    from trial_entry.detection.training import Trainer

    with autograph(False):
        built = build_model(config, strategy)
    tf.train.Checkpoint(model=built.model).save(str(folder / "weights"))
    trainer, losses = Trainer(built, config), list[dict[str, float]]()
    recorded = Recorded(config, built.model)
    trainer.build_input = recorded.build  # type: ignore[method-assign]
    trainer.trace()
    trainer.run(STEPS, lambda results: losses.extend(each.losses for each in results) or True)  # type: ignore[func-returns-value]
    (folder / "batches.pickle").write_bytes(pickle.dumps(recorded.batches))
    return losses


class Recorded:
    """The training input's first batches, kept as arrays."""

    def __init__(self, config: TrainEvalPipelineConfig, model: Any) -> None:
        import tensorflow as tf
        from object_detection import inputs

        dataset = inputs.train_input(config.train_config, config.train_input_reader, config.model, model=model)
        self.batches = [tf.nest.map_structure(lambda tensor: tensor.numpy(), batch) for batch in dataset.take(STEPS)]

    def build(self) -> Any:
        """An iterator over them."""
        return iter(dataset_of(self.batches))


def dataset_of(batches: list[Any]) -> Any:
    """A tf.data set of the batches."""
    import numpy as np
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(tf.nest.map_structure(lambda *arrays: np.stack(arrays), *batches))


def stock(config: TrainEvalPipelineConfig, folder: Path) -> list[dict[str, float]]:
    """By the API's own step, traced as its training loop traces it."""
    from trial_entry.detection.compat import load_api

    load_api()
    import tensorflow as tf
    from object_detection import model_lib_v2
    from object_detection.builders import model_builder, optimizer_builder

    train, dataset = config.train_config, dataset_of(pickle.loads((folder / "batches.pickle").read_bytes()))
    model = model_builder.build(config.model, is_training=True)
    global_step = tf.Variable(0, trainable=False, dtype=tf.int64)
    optimizer, _ = optimizer_builder.build(train.optimizer, global_step=global_step)
    model_lib_v2._ensure_model_is_built(model, dataset, train.unpad_groundtruth_tensors)
    tf.train.Checkpoint(model=model).restore(str(folder / "weights-1")).assert_existing_objects_matched()

    @tf.function  # type: ignore[untyped-decorator]
    def step(features: Any, labels: Any) -> Any:
        losses = model_lib_v2.eager_train_step(
            model,
            features,
            labels,
            train.unpad_groundtruth_tensors,
            optimizer,
            training_step=global_step,
            add_regularization_loss=train.add_regularization_loss,
            clip_gradients_value=train.gradient_clipping_by_norm or None,
            num_replicas=1.0,
        )
        global_step.assign_add(1)
        return losses

    return [{name: float(loss) for name, loss in step(*batch).items()} for batch in dataset]


if __name__ == "__main__":
    which, path, where = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    found = {"ours": ours, "stock": stock}[which](BaseConfig.read(path).render([]).config, where)
    (where / f"{which}.json").write_text(json.dumps(found))
