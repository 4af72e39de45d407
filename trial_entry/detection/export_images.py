"""Detection's images for an export: those that an evaluation saw, as their records have them, and some of the training.

An export is compared on the images that the checkpoint was evaluated on. They are read anew from the records: what the
API's input gives is resized already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trial_entry.detection.evaluation import image_ids
from trial_entry.errors import DataError
from trial_entry.pipeline_config.inputs import local_record_files
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.records.examples import decode_example
from trial_entry.records.features import ENCODED, SOURCE_ID
from trial_entry.records.tfrecord import read_record, read_records, record_offsets

if TYPE_CHECKING:
    import tensorflow as tf

Pixels = NDArray[np.uint8]  # [height, width, 3]


def evaluated_images(reader: InputReader, wanted: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """The image files of these ids, each once, with its id.

    The id is the API's: a hash of `image/source_id`.

    Raises:
        DataError: some are not there, as of records without a source_id, which have another id each time.
    """
    left = set(wanted)
    for file in local_record_files(reader):
        for number, data in enumerate(read_records(file)):
            features = decode_example(data, f"{file}: record {number}")
            source = next(iter(features.get(SOURCE_ID, [])), b"")
            [image] = image_ids([source])
            if image in left:
                left.discard(image)
                yield image, features[ENCODED][0]
            if not left:
                return
    where = ", ".join(reader.tf_record_input_reader.input_path)
    raise DataError(
        f"eval_input_reader: {where}: {len(left)} evaluated images cannot be found again by their image/source_id, so "
        "no export can be compared on them; write records that have one each, or give --no_compare"
    )


def training_images(config: TrainEvalPipelineConfig, most: int) -> Iterator[Pixels]:
    """Up to `most` images, evenly spread over the training records, without augmentation.

    Raises:
        DataError: a record cannot be read.
    """
    places = [
        (file, offset) for file in local_record_files(config.train_input_reader) for offset in record_offsets(file)
    ]
    for place in np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int)):
        file, offset = places[place]
        where = f"{file}: the record at byte {offset}"
        yield decoded(decode_example(read_record(Path(file), offset), where)[ENCODED][0], where)


def decoded(file: bytes, where: str) -> Pixels:
    """The pixels of a JPEG or PNG file, as the API decodes them.

    Raises:
        DataError: it is none.
    """
    import tensorflow as tf

    try:
        pixels: Pixels = tf.io.decode_image(file, channels=3, expand_animations=False).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise DataError(f"{where}: cannot be decoded: {str(error).splitlines()[0]}") from None
    return pixels


def model_resizer(config: TrainEvalPipelineConfig) -> Callable[[Pixels], NDArray[np.float32]]:
    """Makes of a batch of images [batch, height, width, 3] what the model's fixed size asks for, pixels as they are."""
    from object_detection.builders import image_resizer_builder
    from object_detection.utils import config_util

    resize = image_resizer_builder.build(config_util.get_image_resizer_config(config.model))

    def resized(images: Pixels) -> NDArray[np.float32]:
        return np.stack([_resized(resize, image) for image in images])

    return resized


def _resized(resize: Callable[..., tuple[tf.Tensor, tf.Tensor]], image: Pixels) -> NDArray[np.float32]:
    import tensorflow as tf

    pixels: NDArray[np.float32] = resize(tf.constant(image, tf.float32))[0].numpy()
    return pixels
