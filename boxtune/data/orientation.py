"""Data's images that a camera turned: which way the pixels were seen by whoever annotated them.

TensorFlow does not turn images as EXIF says; annotators nearly always saw them turned. Records hold upright pixels.
"""

from __future__ import annotations

from boxtune.data.annotations import Box
from trial_entry.images.pixels import Size


def seen_box(box: Box, seen: Size, orientation: int) -> Box:
    """A box on the stored pixels, in the image as seen, `seen` pixels big."""
    xmin, ymin, xmax, ymax = box
    width, height = seen
    turned: dict[int, Box] = {
        2: (width - xmax, ymin, width - xmin, ymax),
        3: (width - xmax, height - ymax, width - xmin, height - ymin),
        4: (xmin, height - ymax, xmax, height - ymin),
        5: (ymin, xmin, ymax, xmax),
        6: (width - ymax, xmin, width - ymin, xmax),
        7: (width - ymax, height - xmax, width - ymin, height - xmin),
        8: (ymin, height - xmax, ymax, height - xmin),
    }
    return turned.get(orientation, box)
