"""Devices, seeds and AutoGraph: what is decided once in a process, before a model is built."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trial_entry.contract.records import Threads
from trial_entry.detection.compat import load_api
from trial_entry.detection.gpus import find_gpus
from trial_entry.detection.imports import lean_imports
from trial_entry.detection.sharing import share_repeated_work
from trial_entry.errors import ConfigError
from trial_entry.logs import without_chatter
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

if TYPE_CHECKING:
    import tensorflow as tf

_API = (
    "faster_coco_eval",
    "object_detection.builders.model_builder",
    "object_detection.builders.optimizer_builder",
    "object_detection.inputs",
    "object_detection.model_lib_v2",
)
_DETERMINISTIC_INTER_OP = 2  # operations at a time: their order is no matter, only that a machine's size is none
_NOT_DETERMINISTIC = "eterministic GPU implementation"  # of TensorFlow's kernels that have none
_NODE = re.compile(r"\{\{[^}]*\}\}")  # TensorFlow's name of the operation
NEEDS_AUTOGRAPH = "random_square_crop_by_scale"  # the one augmentation with a Python `if` on a tensor


def start_runtime(seed: int, deterministic: bool) -> tf.distribute.Strategy:
    """Load the API, set every seed, and return the distribution strategy for the GPUs that there are.

    Args:
        seed: of Python, NumPy and TensorFlow.
        deterministic: the same seed gives the same numbers, with one thread an operation (the order of additions
            in a convolution depends on the thread count).
    """
    preload()
    import tensorflow as tf

    share_repeated_work()
    tf.keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(_DETERMINISTIC_INTER_OP)
    elif threads := os.environ.get("OMP_NUM_THREADS"):
        tf.config.threading.set_intra_op_parallelism_threads(int(threads))
        tf.config.threading.set_inter_op_parallelism_threads(int(threads))
    if len(find_gpus()) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def one_replica() -> tf.distribute.Strategy:
    """The strategy of one device, however many there are: what is written to a file has no replicas."""
    import tensorflow as tf

    return tf.distribute.get_strategy()


def preload(*more: str) -> None:
    """Import what every command needs of TensorFlow and the API, and start nothing.

    TensorFlow starts its runtime at the first operation or list of devices; after that a fork would share its locks
    and, on a GPU, a context that a child cannot use.

    Args:
        more: modules to import besides.
    """
    with lean_imports():
        load_api()
        with without_chatter():
            for module in (*_API, *more):
                importlib.import_module(module)


@contextmanager
def autograph(enabled: bool) -> Iterator[None]:
    """Switch AutoGraph's conversion on or off; the API's own code needs none, and it takes half of a start-up."""
    from tensorflow.python.autograph.core import ag_ctx

    status = ag_ctx.Status.ENABLED if enabled else ag_ctx.Status.DISABLED
    with ag_ctx.ControlStatusCtx(status=status):
        yield


def has_gpu() -> bool:
    """Whether this process computes on a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


@contextmanager
def without_grappler() -> Iterator[None]:
    """Run graphs as they were traced where there is no GPU, for functions that are first called within.

    On a processor Grappler's rewriting of a training step takes longer than the step's first run and makes the later
    ones no faster (docs/speed.md). On a GPU its layouts matter, and it stays.
    """
    if has_gpu():
        yield
        return
    with _rewriting(disable_meta_optimizer=True):
        yield


@contextmanager
def without_shared_sums() -> Iterator[None]:
    """Let Grappler make no sum with a variable of its own, in every call within; all calls of a function must be.

    Its rewriting of a long sum accumulates in a temporary variable, whose name two calls at a time of one graph share:
    now and then the second one finds it there, and ends in an error (ALREADY_EXISTS).
    """
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

    with _rewriting(arithmetic_optimization=RewriterConfig.OFF):
        yield


@contextmanager
def _rewriting(**options: int | bool) -> Iterator[None]:
    """Grappler's options of this thread alone: `tf.config.optimizer` knows only those of all threads."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.eager import context

    here = context.context()
    before = here.function_call_options
    config = config_pb2.ConfigProto.FromString(before.config_proto_serialized)
    for name, value in options.items():
        setattr(config.graph_options.rewrite_options, name, value)
    here.function_call_options = context.FunctionCallOptions(config_proto=config)
    try:
        yield
    finally:
        here.function_call_options = before


def determinism_error(error: Exception) -> Exception:
    """The ConfigError where a TensorFlow error says that an operation has no deterministic kernel, else the error."""
    said = str(error).strip().splitlines()
    if not said or _NOT_DETERMINISTIC not in said[0]:
        return error
    what = _NODE.sub("", said[0]).strip()
    return ConfigError(
        f"--deterministic: this model cannot be trained so on a GPU: {what}; leave it out, or hide the GPU with "
        "CUDA_VISIBLE_DEVICES: -1"
    )


def forget_models() -> None:
    """Let Keras forget every model, so that the next starts from an empty graph."""
    import tensorflow as tf

    tf.keras.backend.clear_session()


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """`dataset` with a fixed number of parallel calls, as many as there are threads.

    tf.data's autotuner sleeps for 0.01 s, twice that, and so on up to a minute, and often cannot be woken: an iterator
    that is deleted after 50 s of training then waits half a minute more.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def input_needs_autograph(config: TrainEvalPipelineConfig) -> bool:
    """Whether the config's augmentation has an operation that works only when converted."""
    return any(
        step.WhichOneof("preprocessing_step") == NEEDS_AUTOGRAPH
        for step in config.train_config.data_augmentation_options
    )


@dataclass(frozen=True)
class Runtime:
    """What this process computes with, as trial.json says it.

    Attributes:
        versions: by package.
        devices: TensorFlow's names.
        threads: of its pools.
    """

    versions: dict[str, str]
    devices: tuple[str, ...]
    threads: Threads


def describe_runtime() -> Runtime:
    """Versions, devices and threads, once TensorFlow is loaded."""
    from importlib.metadata import version

    import tensorflow as tf

    packages = (
        "boxtune",
        "tf-keras",
        "tf-models-research-object-detection",
        "tf-models-official",
        "numpy",
    )
    threading = tf.config.threading
    return Runtime(
        {"tensorflow": tf.__version__, **{name: version(name) for name in packages}},  # or tensorflow-cpu
        tuple(device.name for device in tf.config.list_physical_devices()),
        Threads(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()),
    )
