"""`boxtune data check` beside a script that only decodes the same records' images; the trial's look; near-duplicates.

python -m tests.benchmarks.data_check [IMAGES]
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from boxtune.data.checking.record_check import check_records
from boxtune.data.near_duplicates import pairs
from boxtune.data.record_files import find_records
from tests.benchmarks.data_import import photographs
from tests.records import BBOX, ENCODED, LABEL, TEXT, features, label_map
from trial_entry.records.examples import decode_example, encode_example
from trial_entry.records.label_map import read_label_map
from trial_entry.records.look import look_at
from trial_entry.records.objects import Expected
from trial_entry.records.tfrecord import read_records, write_records

IMAGES = 10_000  # of 640 x 480
OBJECTS = 7  # an image
PRINTS = 100_000


def main(images: int) -> None:
    """Print each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_records(folder / "train.record", made(images))
        label_map(folder / "label_map.pbtxt")
        checks(folder)
    near_duplicates(PRINTS)


def checks(folder: Path) -> None:
    """The records of `folder`, of which train.record and label_map.pbtxt are looked at in every way."""
    record = folder / "train.record"
    sum(len(data) for data in read_records(record))  # all find them in the page cache
    began = time.perf_counter()
    for data in read_records(record):
        with Image.open(io.BytesIO(decode_example(data, "")[ENCODED][0])) as image:
            image.load()
    script = time.perf_counter() - began
    began = time.perf_counter()
    check = check_records(find_records([str(folder)]))
    whole = time.perf_counter() - began
    labels = read_label_map(folder / "label_map.pbtxt")
    began = time.process_time()
    look_at([record], Expected(labels, max(labels.labels), 100))
    look = time.process_time() - began
    count = check.splits[0].look.images
    print(
        f"{count} images: data check {whole:.1f} s, decoding alone {script:.1f} s: {whole / script:.2f} times as long"
    )
    print(f"{count} images: the trial's look {look:.1f} s of one core, {look / script:.2f} times as long as decoding")


def near_duplicates(count: int) -> None:
    """The search among fingerprints of which a tenth are another's with three bits changed."""
    random = np.random.default_rng(0)
    raw = random.integers(0, 256, (count, 224), np.uint8)
    raw[count - count // 10 :] = raw[: count // 10]
    for place in (1, 3, 6):
        raw[count - count // 10 :, place] ^= 4
    prints = [row.tobytes() for row in raw]
    began = time.perf_counter()
    found = sum(1 for _ in pairs(prints))
    print(f"{count} fingerprints: {found} pairs in {time.perf_counter() - began:.1f} s")


def made(count: int) -> Iterator[bytes]:
    """Photographs of 640 x 480, each with bytes and boxes of its own."""
    pictures, random = photographs(40), np.random.default_rng(0)
    image = features(0, size=(640, 480))
    for number in range(count):
        low = random.uniform(0, 0.5, (2, OBJECTS))
        high = low + random.uniform(0.02, 0.5, (2, OBJECTS))
        classes = random.integers(1, 4, OBJECTS).tolist()
        image |= {
            ENCODED: pictures[number % len(pictures)] + str(number).encode(),
            "image/source_id": str(number).encode(),
            BBOX + "xmin": low[0].tolist(),
            BBOX + "ymin": low[1].tolist(),
            BBOX + "xmax": high[0].tolist(),
            BBOX + "ymax": high[1].tolist(),
            TEXT: [(b"car", b"bus", b"tram")[each - 1] for each in classes],
            LABEL: classes,
        }
        yield encode_example(image)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
