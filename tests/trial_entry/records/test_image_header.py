"""What is said of an image without decoding it, with TensorFlow's decoder as the API calls it for the oracle."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.records import picture
from trial_entry.records.image_header import REWRITE, read_image_header

JPEG = picture(0, kind="JPEG", quality=95)
PROGRESSIVE = picture(0, kind="JPEG", progressive=True)
PNG, BMP = picture(0), picture(0, kind="BMP")


def sixteen_bits() -> bytes:
    stream = io.BytesIO()
    Image.new("I;16", (96, 64), 40_000).save(stream, "PNG")
    return stream.getvalue()


def thumbnailed() -> bytes:
    """A JPEG whose EXIF holds another, whole one; cut after that."""
    segment = b"Exif\0\0" + picture(1, size=(16, 16), kind="JPEG")
    whole = JPEG[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + JPEG[2:]
    return whole[: len(segment) + 800]


def frame(data: bytes, at: int, value: bytes) -> bytes:
    """The JPEG with other bytes in its frame's header."""
    begin = data.index(b"\xff\xc0") + at
    return data[:begin] + value + data[begin + len(value) :]


IMAGES: dict[str, bytes] = {
    "jpeg": JPEG,
    "progressive": PROGRESSIVE,
    "jpeg without its end": JPEG[:-2],
    "half a jpeg": JPEG[: len(JPEG) // 2],
    "half a progressive jpeg": PROGRESSIVE[: len(PROGRESSIVE) // 2],
    "a jpeg's header": JPEG[:200],
    "jpeg and zeros": JPEG + bytes(100),
    "jpeg without its end, and zeros": JPEG[:-2] + bytes(100),
    "jpeg and more": JPEG + b"something else" * 9,
    "two jpegs": JPEG + PROGRESSIVE,
    "jpeg cut after its thumbnail": thumbnailed(),
    "a byte before a jpeg": b"\n" + JPEG,
    "grey jpeg": picture(0, "L", kind="JPEG"),
    "cmyk": picture(0, "CMYK", kind="JPEG"),
    "lossless jpeg": frame(JPEG, 1, b"\xc3"),
    "jpeg of 12 bits": frame(JPEG, 4, b"\x0c"),
    "jpeg without a height": frame(JPEG, 5, b"\0\0"),
    "png": PNG,
    "png without its end": PNG[:-12],
    "png less a byte": PNG[:-1],
    "half a png": PNG[: len(PNG) // 2],
    "half a png and its end": PNG[: len(PNG) // 2] + PNG[-12:],
    "png and more": PNG + b"something else",
    "png with a changed byte": PNG[:-40] + bytes([PNG[-40] ^ 1]) + PNG[-39:],
    "png with a changed size": PNG[:19] + b"\x07" + PNG[20:],
    "grey png": picture(0, "L"),
    "palette": picture(0, "P"),
    "one bit": picture(0, "1"),
    "grey and alpha": picture(0, "LA"),
    "alpha": picture(0, "RGBA"),
    "sixteen bits": sixteen_bits(),
    "bmp": BMP,
    "grey bmp": picture(0, "L", kind="BMP"),
    "bmp with alpha": picture(0, "RGBA", kind="BMP"),
    "bmp of one bit": picture(0, "1", kind="BMP"),
    "bmp less a byte": BMP[:-1],
    "bmp and more": BMP + b"xx",
    "gif": picture(0, "P", kind="GIF"),
    "webp": picture(0, kind="WEBP"),
    "tiff": picture(0, kind="TIFF"),
    "jpeg 2000": picture(0, kind="JPEG2000"),
    "ppm": picture(0, kind="PPM"),
    "icon": picture(0, size=(32, 32), kind="ICO"),
    "text": b"no picture at all",
    "base64": base64.b64encode(JPEG),
    "base64 of a web page": b"data:image/png;base64," + base64.b64encode(PNG),
    "a path": b"/content/images/raccoon 1.JPG",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "a web page": b"<!DOCTYPE html><html>404</html>",
    "pixels": bytes(96 * 64 * 3),
    "nothing": b"",
    "two bytes": b"\xff\xd8",
    "a signature alone": PNG[:8],
}
FOREIGN = {
    "gif": "GIF",
    "webp": "WebP",
    "tiff": "TIFF",
    "jpeg 2000": "JPEG 2000",
    "ppm": "PPM",
    "icon": "an icon (ICO)",
}


WRONG = {
    "base64": ("is an image's file in base64", "write the file's own bytes"),
    "base64 of a web page": ("is an image's file in base64", "write the file's own bytes"),
    "a path": ("is a path, '/content/images/raccoon 1.JPG', and no image's file", "write what the file holds"),
    "a Git LFS pointer": ("is a Git LFS pointer, not the file", "fetch it: git lfs pull"),
    "a web page": ("is an HTML page", "a download gave it in the place of the file; fetch the file itself"),
    "text": ("is no image that is known here (it begins with b'no pictu')", REWRITE),
    "nothing": ("is empty", REWRITE),
}


@pytest.fixture(scope="module")
def decoded() -> Callable[[bytes], tuple[int, ...] | None]:
    """The shape (height, width) that the API gets of an image; None where it gets none."""
    tf = pytest.importorskip("tensorflow")

    def decode(data: bytes) -> tuple[int, ...] | None:
        try:
            jpeg = bool(tf.io.is_jpeg(data))
            image = tf.io.decode_jpeg(data, channels=3) if jpeg else tf.image.decode_image(data, channels=3)
            image.shape.assert_is_compatible_with([None, None, 3])  # as tf_slim's handler demands
        except (tf.errors.InvalidArgumentError, ValueError):
            return None
        return tuple(image.shape[:2])

    return decode


@pytest.mark.parametrize("name", IMAGES)
def test_what_tensorflow_decodes_is_right_and_has_its_size(
    decoded: Callable[[bytes], tuple[int, ...] | None], name: str
) -> None:
    header, shape = read_image_header(IMAGES[name]), decoded(IMAGES[name])
    if shape is None:
        assert header.wrong
    else:
        assert (header.wrong, header.height, header.width) == ("", *shape)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_there_in_the_place_of_an_image_is_named(name: str) -> None:
    header = read_image_header(IMAGES[name])
    assert (header.wrong, header.right) == WRONG[name]


@pytest.mark.parametrize(("name", "says"), FOREIGN.items())
def test_another_format_is_named(name: str, says: str) -> None:
    header = read_image_header(IMAGES[name])
    assert header.format == says
    assert header.wrong == f"is {says}, which TensorFlow does not decode as a picture"


def test_colours_and_bits_are_read() -> None:
    for name, channels, bits in (("cmyk", 4, 8), ("grey jpeg", 1, 8), ("sixteen bits", 1, 16), ("alpha", 4, 8)):
        header = read_image_header(IMAGES[name])
        assert (header.channels, header.bits) == (channels, bits), name


def test_a_jpeg_less_a_byte_is_cut_off_though_the_decoder_may_guess_that_byte() -> None:
    assert read_image_header(JPEG[:-1]).wrong == "is a JPEG that is cut off"


def test_no_prefix_of_an_image_is_an_error_of_ours() -> None:
    for whole in (JPEG, PNG, BMP):
        for length in range(len(whole)):
            assert read_image_header(whole[:length]).wrong
