"""scikit-learn's handwritten digits, pasted on crops of its two photographs or on noise.

Deterministic: the same seed gives the same bytes. Training shares no digit's drawing with validation and test, which
share theirs on other pictures.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trial_entry.records.examples import encode_example
from trial_entry.records.tfrecord import write_records

TRAIN_RECORD = "train.record"
VALIDATION_RECORD = "validation.record"
TEST_RECORD = "test.record"
LABEL_MAP = "label_map.pbtxt"

_DIGIT_PIXELS = 8  # scikit-learn's digits are 8 by 8, with 17 grey levels
_GREY_LEVELS = 16.0
_HALF = 0.5  # of the images, and of the digits


@dataclass(frozen=True)
class DigitsSpec:
    """What to make; the defaults train to a useful detector in minutes on two cores.

    Attributes:
        train_images, validation_images, test_images: numbers of images.
        classes: how many of the ten digits, from 0 on.
        image_size: edge of the square images, in pixels.
        smallest, largest: edge of a pasted digit, in pixels.
        most_digits: an image has 1 to this many.
        seed: of everything that is drawn.
    """

    train_images: int = 600
    validation_images: int = 150
    test_images: int = 150
    classes: int = 5
    image_size: int = 128
    smallest: int = 28
    largest: int = 56
    most_digits: int = 3
    seed: int = 0


@dataclass(frozen=True)
class _Box:
    label: int
    left: int
    top: int
    size: int

    def overlaps(self, other: _Box) -> bool:
        return (
            self.left < other.left + other.size
            and other.left < self.left + self.size
            and self.top < other.top + other.size
            and other.top < self.top + self.size
        )


class _Painter:
    """Draws images from one pool of digits."""

    def __init__(
        self, spec: DigitsSpec, drawings: NDArray[np.float32], labels: NDArray[np.int64], seed: int | Sequence[int]
    ) -> None:
        self._spec = spec
        self._drawings = drawings
        self._labels = labels
        self._random = np.random.default_rng(seed)
        from sklearn.datasets import (
            load_sample_images,
        )  # here: it takes seconds to import, and no other command needs it

        self._photographs = [np.asarray(photo) for photo in load_sample_images().images]

    def paint(self) -> tuple[Image.Image, list[_Box]]:
        canvas = self._background()
        boxes: list[_Box] = []
        for _ in range(self._random.integers(1, self._spec.most_digits + 1)):
            box, drawing = self._place()
            if not any(box.overlaps(other) for other in boxes):
                self._paste(canvas, box, drawing)
                boxes.append(box)
        return Image.fromarray(canvas.clip(0, 255).astype(np.uint8)), boxes

    def _background(self) -> NDArray[np.float32]:
        size = self._spec.image_size
        if self._random.random() < _HALF:
            shade = self._random.uniform(40, 200, 3)
            return (shade + self._random.normal(0, 25, (size, size, 3))).astype(np.float32)
        photo = self._photographs[self._random.integers(len(self._photographs))]
        top = self._random.integers(photo.shape[0] - size)
        left = self._random.integers(photo.shape[1] - size)
        return photo[top : top + size, left : left + size].astype(np.float32)

    def _place(self) -> tuple[_Box, int]:
        drawing = int(self._random.integers(len(self._drawings)))
        size = int(self._random.integers(self._spec.smallest, self._spec.largest + 1))
        left, top = (int(at) for at in self._random.integers(0, self._spec.image_size - size, 2))
        return _Box(int(self._labels[drawing]), left, top, size), drawing

    def _paste(self, canvas: NDArray[np.float32], box: _Box, drawing: int) -> None:
        ink = Image.fromarray(self._drawings[drawing]).resize((box.size, box.size), Image.Resampling.BICUBIC)
        strength = np.asarray(ink).clip(0, 1)[..., None]
        colour = self._random.uniform(0, 70, 3) if self._random.random() < _HALF else self._random.uniform(190, 255, 3)
        paper = 255 - colour  # digits stand on a patch of the opposite shade, as on a sign
        area = canvas[box.top : box.top + box.size, box.left : box.left + box.size]
        area[:] = strength * colour + (1 - strength) * (0.6 * paper + 0.4 * area)


def make_digits(folder: Path, spec: DigitsSpec) -> list[Path]:
    """Write TRAIN_RECORD, VALIDATION_RECORD, TEST_RECORD and LABEL_MAP into `folder`; returns their paths.

    The records are `tf.train.Example`s with the features that the API's TfExampleDecoder reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    from sklearn.datasets import load_digits

    drawings, labels = load_digits(return_X_y=True)
    drawings = drawings.reshape(-1, _DIGIT_PIXELS, _DIGIT_PIXELS).astype(np.float32) / _GREY_LEVELS
    chosen = labels < spec.classes
    drawings, labels = drawings[chosen], labels[chosen]
    split = len(drawings) * 3 // 4
    learnt, others = slice(0, split), slice(split, None)
    parts: tuple[tuple[str, int, slice, int | Sequence[int]], ...] = (
        (TRAIN_RECORD, spec.train_images, learnt, spec.seed * 2),
        (VALIDATION_RECORD, spec.validation_images, others, spec.seed * 2 + 1),
        (TEST_RECORD, spec.test_images, others, (spec.seed, 2)),
    )
    written = []
    for name, count, part, seed in parts:
        painter = _Painter(spec, drawings[part], labels[part], seed)
        written.append(folder / name)
        write_records(written[-1], _examples(painter, written[-1].stem, count, spec.image_size))
    label_map = folder / LABEL_MAP
    items = (f"item {{\n  id: {digit + 1}\n  name: '{digit}'\n}}\n" for digit in range(spec.classes))
    label_map.write_text("".join(items), encoding="utf-8")
    return [*written, label_map]


def _examples(painter: _Painter, name: str, count: int, image_size: int) -> Iterator[bytes]:
    for number in range(count):
        image, boxes = painter.paint()
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=92)
        source = f"{name}-{number:05d}.jpg".encode()
        yield encode_example(
            {
                "image/encoded": encoded.getvalue(),
                "image/format": b"jpeg",
                "image/filename": source,
                "image/source_id": source,
                "image/height": [image_size],
                "image/width": [image_size],
                "image/object/bbox/xmin": [box.left / image_size for box in boxes],
                "image/object/bbox/xmax": [(box.left + box.size) / image_size for box in boxes],
                "image/object/bbox/ymin": [box.top / image_size for box in boxes],
                "image/object/bbox/ymax": [(box.top + box.size) / image_size for box in boxes],
                "image/object/class/label": [box.label + 1 for box in boxes],
                "image/object/class/text": [str(box.label).encode() for box in boxes],
            }
        )
