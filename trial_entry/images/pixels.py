"""The images' room, files: do they decode, how does TensorFlow read them, what to write where it reads them wrongly."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

TAG = 0x0112  # EXIF's orientation: 1 is upright, 2 to 8 turn or mirror
UPRIGHT = 1
_SIDEWAYS = 5  # of EXIF's orientations: from here on width and height change places
Size = tuple[int, int]  # width, height
MOST_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # Pillow's own limit against bombs: 179 megapixels
_DARK = 1 << 12  # cameras of 12 bits
_JPEG_QUALITY = 95
_THUMBNAIL = 8  # a JPEG is decoded at an eighth of its size where only its soundness counts
_PLAIN_BMP = (40, 24, 0)  # header's length, bits, compression: the only one that TensorFlow reads for certain
_EIGHT_BIT = frozenset(("1", "L", "LA", "P", "PA", "RGB", "RGBA"))


class Undecodable(Exception):  # noqa: N818 (its caller counts it)
    """The bytes are no image, or not a whole one; the message says why."""


@dataclass(frozen=True)
class ImageLook:
    """What was seen of an image file.

    Attributes:
        size: width and height of the stored pixels.
        orientation: EXIF's.
        kept_as: jpeg, png or bmp where TensorFlow reads the bytes as a viewer does; empty where it does not.
        why: why not.
        small: the image at an eighth or so, as stored.
    """

    size: Size
    orientation: int
    kept_as: str
    why: str
    small: Image.Image


def look_at(data: bytes) -> ImageLook:
    """Decode an image file to its last pixel.

    Raises:
        Undecodable: empty, cut off, no image, or too large.
    """
    with opened(data) as image:
        size, kept_as = image.size, _kept_as(image, data)
        small = (max(1, size[0] // _THUMBNAIL), max(1, size[1] // _THUMBNAIL))
        image.draft("RGB", small)  # every byte is read all the same
        loaded(image)
        orientation = orientation_of(image)
        why = "" if kept_as and orientation == UPRIGHT else _why(image, orientation)
        return ImageLook(size, orientation, kept_as if not why else "", why, image.copy())


def opened(data: bytes) -> Image.Image:
    """The image in a file, its pixels not yet decoded.

    Raises:
        Undecodable: no image, or too large.
    """
    if not data:
        raise Undecodable("empty, so no image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of images between Pillow's two limits
            return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise Undecodable(f"cannot be read as an image{_other_kind(data)}") from None
    except Image.DecompressionBombError:
        hint = "; of a TIFF, boxtune[geo] and --tile read part after part"
        raise Undecodable(f"more than {MOST_PIXELS // 1_000_000} megapixels, too large to decode whole{hint}") from None
    except Exception as error:  # Pillow's parsers raise what their parts raise
        raise Undecodable(f"cannot be read as an image: {error}") from None


def loaded(image: Image.Image) -> None:
    """Decode its pixels.

    Raises:
        Undecodable: cut off or corrupt.
    """
    try:
        image.load()
    except Exception as error:  # as above
        reason = "truncated" if "truncated" in str(error) else f"corrupt ({error or type(error).__name__})"
        raise Undecodable(f"does not decode as an image: {reason}") from None


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none."""
    try:
        found = image.getexif().get(TAG, UPRIGHT)
    except Exception:  # broken EXIF turns nothing
        return UPRIGHT
    return found if isinstance(found, int) and UPRIGHT <= found <= 8 else UPRIGHT  # noqa: PLR2004


def upright(data: bytes) -> Image.Image:
    """The image as seen: turned, its first frame, three channels of eight bits or one.

    Raises:
        Undecodable: as `look_at`.
    """
    with opened(data) as image:
        loaded(image)
        return eight_bit(ImageOps.exif_transpose(image) or image)


def seen_size(stored: Size, orientation: int) -> Size:
    """Width and height as seen of an image that is stored so."""
    return (stored[1], stored[0]) if orientation >= _SIDEWAYS else stored


def eight_bit(image: Image.Image) -> Image.Image:
    """In mode RGB or L. Transparency goes and colours stay, as TensorFlow does it; 16 bits are scaled, not clipped.

    Raises:
        Undecodable: pixels that are no colours, such as heights in an elevation model.
    """
    if image.mode in ("L", "RGB"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "F":
        raise Undecodable("floating-point pixels, which are no colours; not an image to detect in")
    return image.convert("RGBA").convert("RGB") if image.mode in ("P", "PA") else image.convert("RGB")


def encoded(image: Image.Image, lossless: bool) -> tuple[bytes, str]:
    """(file, format) of pixels that are written anew: PNG where nothing may be lost, else a JPEG of high quality."""
    stream = io.BytesIO()
    if lossless:
        image.save(stream, "PNG")
        return stream.getvalue(), "png"
    image.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return stream.getvalue(), "jpeg"


def is_lossy(data: bytes) -> bool:
    """Whether a file's own coding has lost something already, so that a JPEG of it loses little more."""
    with opened(data) as image:
        return image.format in ("JPEG", "MPO", "WEBP", "JPEG2000")


def _kept_as(image: Image.Image, data: bytes) -> str:
    frames = int(getattr(image, "n_frames", 1))
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):  # MPO: drones' and phones' JPEG with a preview
        return "jpeg"
    if image.format == "PNG" and image.mode in _EIGHT_BIT and frames == 1:
        return "png"
    header = (
        int.from_bytes(data[14:18], "little"),
        int.from_bytes(data[28:30], "little"),
        int.from_bytes(data[30:34], "little"),
    )
    return "bmp" if image.format == "BMP" and header == _PLAIN_BMP else ""


def _why(image: Image.Image, orientation: int) -> str:
    if orientation != UPRIGHT:
        return "turned upright as their EXIF says"
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format in ("GIF", "PNG", "WEBP"):
        return f"that is a moving {image.format}, of which the first frame was written"
    if image.format in ("JPEG", "PNG", "BMP"):
        bits = "16 bits" if image.mode.startswith("I") else image.mode
        if image.mode.startswith("I") and int(image.getextrema()[1]) < _DARK:
            return f"in {image.format} of 16 bits whose upper four are unused, so nearly black as 8 bits; scale them"
        return f"in {image.format} of {bits}, written as 8 bits in RGB"
    return f"in {image.format}, which TensorFlow's decoder does not read, written as JPEG or PNG"


def _other_kind(data: bytes) -> str:
    """What a file seems to be that Pillow does not know."""
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return ": HEIC, as phones write it; convert it to JPEG"
    if data[4:12] == b"ftypavif":
        return ": AVIF; convert it to JPEG"
    if data.lstrip()[:1] == b"<":
        return ": a page of text"
    return ""
