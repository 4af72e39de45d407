"""Records' look at an encoded image without decoding it: format, size, and whether the file is whole.

What TensorFlow's decoder makes of each is in the tests, with that decoder as the oracle: it reads JPEG, PNG and BMP as
one picture; GIF and WebP it reads as an animation, which the API cannot take, and the others not at all.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from trial_entry.file_kind import HEAD_BYTES, kind_of

JPEG, PNG, BMP = "JPEG", "PNG", "BMP"
REWRITE = "write JPEG or PNG"
_BITS = 8  # of a channel, usually
_BASE64 = 64  # bytes of a text that say what it stands for
_PATH = re.compile(rb"[\w./\\: -]{1,300}\.(?:jpe?g|png|bmp|gif|tiff?|webp)", re.IGNORECASE)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What no decoder here takes, by the first bytes: the offset at which they stand, they themselves, the name.
_OTHERS = (
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"JXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"%PDF", "PDF"),
    (0, b"\x00\x00\x01\x00", "an icon (ICO)"),
    (0, b"8BPS", "PSD"),
    (0, b"P6", "PPM"),
    (0, b"P5", "PGM"),
    (0, b"\x93NUMPY", "a numpy array"),
)
_JPEG_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC9, 0xCA))  # the processes that libjpeg-turbo decodes
_JPEG_OTHER_FRAMES = frozenset((0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF))
_JPEG_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_JPEG_MARKER, _JPEG_SCAN, _JPEG_END = 0xFF, 0xDA, 0xD9
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_BMP_DEPTHS = (8, 24, 32)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image file says of itself.

    Attributes:
        format: JPEG, PNG or BMP; another name where it cannot be decoded; empty where nothing is known.
        width, height: in pixels, as stored (TensorFlow heeds no EXIF turn).
        channels: colours and alpha; 1 for grey and palettes.
        bits: of each.
        wrong: why TensorFlow cannot decode it; empty if nothing is known against it.
        right: what to write in its place.
    """

    format: str = ""
    width: int = 0
    height: int = 0
    channels: int = 3
    bits: int = 8
    wrong: str = ""
    right: str = REWRITE


def read_image_header(data: bytes) -> ImageHeader:
    """Look at the first bytes and at where the file ends; never raises."""
    read = next((read for first, read in _READERS if data.startswith(first)), _other)
    try:
        return read(data)
    except (struct.error, IndexError):
        return ImageHeader(wrong="is cut off within its header")


def _other(data: bytes) -> ImageHeader:
    name = next((name for at, first, name in _OTHERS if data.startswith(first, at)), "")
    if name:
        return ImageHeader(name, wrong=f"is {name}, which TensorFlow does not decode as a picture")
    kind = kind_of(data[:HEAD_BYTES])
    if kind is not None:
        return ImageHeader(wrong=f"is {kind.name}", right=kind.right or REWRITE)
    if _in_base64(data):
        return ImageHeader(wrong="is an image's file in base64", right="write the file's own bytes")
    if _PATH.fullmatch(data):
        said = data.decode("ascii")
        return ImageHeader(wrong=f"is a path, {said!r}, and no image's file", right="write what the file holds")
    return ImageHeader(wrong=f"is no image that is known here (it begins with {data[:8]!r})")


def _in_base64(data: bytes) -> bool:
    """Whether it is text that stands for the bytes of a JPEG or PNG, with or without what a web page has before it."""
    text = data[:_BASE64].rpartition(b",")[2]
    try:
        start = base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except binascii.Error:
        return False
    return start.startswith(tuple(first for first, _ in _READERS[:2]))


def _jpeg(data: bytes) -> ImageHeader:
    """Walk the segments to the first scan; the marker of the end must come after it."""
    at, width, height, channels, bits, wrong = 2, 0, 0, 3, _BITS, ""
    while True:
        while data[at] == data[at + 1] == _JPEG_MARKER:
            at += 1
        marker = data[at + 1]
        if data[at] != _JPEG_MARKER or marker == _JPEG_END:
            return ImageHeader(JPEG, width, height, wrong="is a damaged JPEG: its header does not end in a scan")
        if marker in _JPEG_ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _JPEG_FRAMES or marker in _JPEG_OTHER_FRAMES:
            bits, height, width, channels = struct.unpack_from(">BHHB", data, at + 4)
            wrong = _jpeg_wrong(marker, bits, width, height)
        elif marker == _JPEG_SCAN:
            break
        at += 2 + length
    if not wrong and data.rfind(bytes((_JPEG_MARKER, _JPEG_END))) < at:
        wrong = "is a JPEG that is cut off"
    return ImageHeader(JPEG, width, height, channels, bits, wrong)


def _jpeg_wrong(marker: int, bits: int, width: int, height: int) -> str:
    if marker in _JPEG_OTHER_FRAMES:
        return "is a lossless or hierarchical JPEG, which TensorFlow does not decode"
    if bits != _BITS:
        return f"is a JPEG of {bits} bits, which TensorFlow does not decode"
    return "" if width and height else "is a JPEG without a size in its header"


def _png(data: bytes) -> ImageHeader:
    """Walk the chunks to the last; the checksums of those that a decoder must read are verified."""
    width, height, bits, colours = struct.unpack_from(">IIBB", data, len(_PNG_SIGNATURE) + 8)
    at, wrong, view = len(_PNG_SIGNATURE), "", memoryview(data)
    while True:
        if at + 12 > len(data):
            wrong = "is a PNG that is cut off"
            break
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            wrong = "is a PNG that is cut off"
            break
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if kind[:1].isupper() and zlib.crc32(view[at + 4 : end - 4]) != checksum:
            wrong = f"is a damaged PNG: the checksum of its chunk {kind.decode('latin-1')} does not match"
            break
        if kind == b"IEND":
            break
        at = end
    return ImageHeader(PNG, width, height, _PNG_CHANNELS.get(colours, 3), bits, wrong)


def _bmp(data: bytes) -> ImageHeader:
    """TensorFlow wants header and rows to be the whole file."""
    (begin,) = struct.unpack_from("<I", data, 10)
    width, height, _, depth = struct.unpack_from("<iiHH", data, 18)
    size = begin + (depth * width + 31) // 32 * 4 * abs(height)
    wrong = ""
    if depth not in _BMP_DEPTHS:
        wrong = f"is a BMP of {depth} bits a pixel, which TensorFlow does not decode"
    elif len(data) != size:
        wrong = "is a BMP that is cut off" if len(data) < size else "is a BMP with more bytes than its header says"
    return ImageHeader(BMP, abs(width), abs(height), max(1, depth // 8), 8, wrong)


_READERS: tuple[tuple[bytes, Callable[[bytes], ImageHeader]], ...] = (
    (b"\xff\xd8\xff", _jpeg),
    (_PNG_SIGNATURE, _png),
    (b"BM", _bmp),
)
