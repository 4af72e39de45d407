"""Write small TFRecords with one thing wrong: python records.py DIR [KIND]; python records.py lists the kinds.

DIR gets train.record (8 images), validation.record (4) and, unless it has one, label_map.pbtxt (car, bus, tram). Needs
numpy, Pillow and google-crc32c, neither TensorFlow nor the product. What is wrong stands in both files, unless the
kind's name begins with train- or validation-.
"""

import base64
import io
import struct
import sys
from pathlib import Path

import google_crc32c
import numpy as np
from PIL import Image

NAMES = ("car", "bus", "tram")
BBOX, OBJECT = "image/object/bbox/", "image/object/"


def varint(number):
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def example(features):
    out = b""
    for name, values in features.items():
        values = values if isinstance(values, list) else [values]
        if values and isinstance(values[0], (bytes, str)):
            kind, inner = 1, b"".join(field(1, v if isinstance(v, bytes) else v.encode()) for v in values)
        elif values and isinstance(values[0], int):
            kind, inner = 3, field(1, b"".join(map(varint, values)))
        else:
            kind, inner = 2, field(1, struct.pack(f"<{len(values)}f", *values))
        out += field(1, field(1, name.encode()) + field(2, field(kind, inner)))
    return field(1, out)


def masked(data):
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def write(path, examples):
    with path.open("wb") as file:
        for data in examples:
            length = struct.pack("<Q", len(data))
            file.write(length + masked(length) + data + masked(data))


def picture(rng, mode="RGB", edge=96, format="PNG", width=None):
    pixels = rng.integers(0, 60, (edge, width or edge, 3), dtype=np.uint8)
    pixels[edge // 4 : edge // 2, edge // 4 : edge // 2] = 220
    image = Image.fromarray(pixels).convert(mode)
    stream = io.BytesIO()
    image.save(stream, format)
    return stream.getvalue()


def usual(number, rng, **picture_options):
    """One image with a box of each of two classes."""
    classes = [number % 3 + 1, (number + 1) % 3 + 1]
    edge = picture_options.get("edge", 96)
    return {
        "image/encoded": picture(rng, **picture_options),
        "image/format": picture_options.get("format", "PNG").lower(),
        "image/filename": f"{number}.png",
        "image/source_id": f"{number}",
        "image/height": edge,
        "image/width": picture_options.get("width") or edge,
        BBOX + "xmin": [0.25, 0.1],
        BBOX + "ymin": [0.25, 0.6],
        BBOX + "xmax": [0.5, 0.4],
        BBOX + "ymax": [0.5, 0.9],
        OBJECT + "class/text": [NAMES[c - 1] for c in classes],
        OBJECT + "class/label": classes,
    }


def boxes(features, how):
    for name, values in list(features.items()):
        if name.startswith(BBOX):
            features[name] = [float(how(name.removeprefix(BBOX), value)) for value in values]


def swapped(features):
    for low, high in (("xmin", "xmax"), ("ymin", "ymax")):
        features[BBOX + low], features[BBOX + high] = features[BBOX + high], features[BBOX + low]


def set_texts(features, *texts):
    features[OBJECT + "class/text"] = list(texts)


# KIND: a function of the features of an image and its number.
def no_change(features, number):
    pass


def only(wanted, change):
    return lambda features, number: change(features) if number == wanted else None


def drop(*names):
    return lambda features, number: [features.pop(name, None) for name in names]


def without_boxes(features):
    for name in ("bbox/xmin", "bbox/ymin", "bbox/xmax", "bbox/ymax"):
        features[OBJECT + name] = []
    features.pop(OBJECT + "class/text"), features.pop(OBJECT + "class/label")


def no_tram(features):
    labels = [label % 3 or 1 for label in features[OBJECT + "class/label"]]
    features[OBJECT + "class/label"] = labels
    set_texts(features, *(NAMES[label - 1] for label in labels))


def many_boxes(features, count=150):
    edges = [0.9 * n / count for n in range(count)]
    features[BBOX + "xmin"] = features[BBOX + "ymin"] = edges
    features[BBOX + "xmax"] = features[BBOX + "ymax"] = [edge + 0.05 for edge in edges]
    set_texts(features, *["car"] * count)
    features[OBJECT + "class/label"] = [1] * count


KINDS = {
    "usual": no_change,
    "pixels": lambda f, n: boxes(f, lambda name, v: v * 96),
    "beyond": lambda f, n: boxes(f, lambda name, v: v * 2.6 if name.endswith("max") else v),
    "percent": lambda f, n: boxes(f, lambda name, v: v * 100),
    "nan": only(1, lambda f: boxes(f, lambda name, v: float("nan") if name == "xmax" else v)),
    "infinite": only(1, lambda f: boxes(f, lambda name, v: float("inf") if name == "ymax" else v)),
    "swapped": lambda f, n: swapped(f),
    "zero-area": lambda f, n: boxes(f, lambda name, v: 0.3),
    "negative": lambda f, n: boxes(f, lambda name, v: v - 0.4),
    "slightly-negative": only(1, lambda f: boxes(f, lambda name, v: -0.02 if name == "xmin" else v)),
    "one-in-pixels": only(3, lambda f: boxes(f, lambda name, v: v * 96)),
    "uneven": only(1, lambda f: f[BBOX + "xmax"].pop()),
    "fewer-labels": only(1, lambda f: (f[OBJECT + "class/label"].pop(), f[OBJECT + "class/text"].pop())),
    "boxes-without-labels": drop(OBJECT + "class/label", OBJECT + "class/text"),
    "text-only": drop(OBJECT + "class/label"),
    "label-only": drop(OBJECT + "class/text"),
    "text-unknown": lambda f, n: set_texts(f, "lorry", "lorry"),
    "one-text-unknown": lambda f, n: set_texts(
        f, *("lorry" if label == 3 else NAMES[label - 1] for label in f[OBJECT + "class/label"])
    ),
    "text-capital": lambda f, n: set_texts(f, *(NAMES[i - 1].title() for i in f[OBJECT + "class/label"])),
    "text-blank": lambda f, n: set_texts(f, *(NAMES[i - 1] + " " for i in f[OBJECT + "class/label"])),
    "text-other-class": lambda f, n: set_texts(f, *(NAMES[i % 3] for i in f[OBJECT + "class/label"])),
    "text-empty": lambda f, n: set_texts(f, *("" for _ in f[OBJECT + "class/label"])),
    "label-from-zero": lambda f, n: (
        f.update({OBJECT + "class/label": [i - 1 for i in f[OBJECT + "class/label"]]}),
        f.pop(OBJECT + "class/text"),
    ),
    "label-from-zero-with-text": lambda f, n: f.update(
        {OBJECT + "class/label": [i - 1 for i in f[OBJECT + "class/label"]]}
    ),
    "text-line-end": lambda f, n: set_texts(f, *(NAMES[i - 1] + "\n" for i in f[OBJECT + "class/label"])),
    "width-for-edge": only(
        0, lambda f: boxes(f, lambda name, v: {"xmin": 0.5, "ymin": 0.5, "xmax": 0.1, "ymax": 0.1}[name])
    ),
    "image-base64": only(2, lambda f: f.update({"image/encoded": base64.b64encode(f["image/encoded"])})),
    "image-path": only(2, lambda f: f.update({"image/encoded": b"/content/images/raccoon-1.jpg"})),
    "image-pixels": only(2, lambda f: f.update({"image/encoded": bytes(96 * 96 * 3)})),
    "not-an-image": only(2, lambda f: f.update({"image/encoded": b"no picture at all"})),
    "cut-image": only(2, lambda f: f.update({"image/encoded": f["image/encoded"][:400]})),
    "no-image": only(2, lambda f: f.pop("image/encoded")),
    "first-not-an-image": only(0, lambda f: f.update({"image/encoded": b""})),
    "validation-not-an-image": only(2, lambda f: f.update({"image/encoded": b"no picture at all"})),
    "no-boxes-one": only(1, without_boxes),
    "no-boxes-half": lambda f, n: without_boxes(f) if n % 2 else None,
    "validation-no-boxes": lambda f, n: without_boxes(f),
    "validation-no-tram": lambda f, n: no_tram(f),
    "train-no-tram": lambda f, n: no_tram(f),
    "validation-pixels": lambda f, n: boxes(f, lambda name, v: v * 96),
    "validation-text-unknown": lambda f, n: set_texts(f, "lorry", "lorry"),
    "weight-zero": lambda f, n: f.update({OBJECT + "weight": [0.0, 0.0]}),
    "weight-one-short": lambda f, n: f.update({OBJECT + "weight": [1.0]}),
    "weight-nan": only(1, lambda f: f.update({OBJECT + "weight": [1.0, float("nan")]})),
    "no-source-id": drop("image/source_id"),
    "same-source-id": lambda f, n: f.update({"image/source_id": "0"}),
    "empty-source-id": lambda f, n: f.update({"image/source_id": ""}),
    "many-boxes": lambda f, n: many_boxes(f),
    "label-as-text": lambda f, n: f.update({OBJECT + "class/label": [str(i) for i in f[OBJECT + "class/label"]]}),
    "label-as-float": lambda f, n: f.update({OBJECT + "class/label": [float(i) for i in f[OBJECT + "class/label"]]}),
    "box-as-int": lambda f, n: f.update({k: [int(96 * x) for x in v] for k, v in f.items() if k.startswith(BBOX)}),
    "all-difficult": lambda f, n: f.update({OBJECT + "difficult": [1, 1]}),
    "all-crowd": lambda f, n: f.update({OBJECT + "is_crowd": [1, 1]}),
    "late-label": only(255, lambda f: (f.update({OBJECT + "class/label": [9, 9]}), f.pop(OBJECT + "class/text"))),
    "late-pixels": only(255, lambda f: boxes(f, lambda name, v: v * 96)),
    "late-not-an-image": only(255, lambda f: f.update({"image/encoded": b"no picture at all"})),
    "size-missing": drop("image/height", "image/width"),
    "wrong-size": lambda f, n: f.update({"image/height": 960, "image/width": 30}),
}
# KIND: how the pictures differ.
PICTURES = {
    "grey": {"mode": "L"},
    "rgba": {"mode": "RGBA"},
    "palette": {"mode": "P"},
    "grey-alpha": {"mode": "LA"},
    "sixteen-bit": {"mode": "I;16"},
    "cmyk": {"mode": "CMYK", "format": "JPEG"},
    "grey-jpeg": {"mode": "L", "format": "JPEG"},
    "webp": {"format": "WEBP"},
    "bmp": {"format": "BMP"},
    "tiff": {"format": "TIFF"},
    "gif": {"mode": "P", "format": "GIF"},
    "tiny": {"edge": 8},
}
COUNTS = {"one-image": (1, 1), "three-images": (3, 2)}
COUNTS |= {kind: (260, 4) for kind in KINDS if kind.startswith("late-")}  # 256 of train.record
CUT = {"truncated": 40, "cut-in-footer": 2}  # bytes that are missing at the end of train.record


def main(folder, kind="usual"):
    rng = np.random.default_rng(0)
    change = KINDS.get(kind, no_change)
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in zip(("train", "validation"), COUNTS.get(kind, (8, 4)), strict=True):
        wrong = kind.partition("-")[0] in (name, *({"train", "validation"} ^ {name}))  # for one of the two alone
        examples = []
        for number in range(count):
            options = {"edge": 8} if kind.startswith("late-") else PICTURES.get(kind, {})
            if kind == "mixed-sizes":
                options = {"edge": 96, "width": 96 + 40 * (number % 3)}
            if options.get("mode") == "I;16":
                features = usual(number, rng)
                features["image/encoded"] = sixteen_bit(rng)
            else:
                features = usual(number, rng, **options)
            if not wrong or kind.startswith(name):
                change(features, number)
            examples.append(example(features))
        write(folder / f"{name}.record", examples)
    if kind in CUT:
        data = (folder / "train.record").read_bytes()
        (folder / "train.record").write_bytes(data[: -CUT[kind]])
    if kind in ("flipped-byte", "validation-flipped-byte"):
        file = folder / ("validation.record" if kind.startswith("validation") else "train.record")
        data = bytearray(file.read_bytes())
        data[-3000] ^= 255
        file.write_bytes(bytes(data))
    labels = folder / "label_map.pbtxt"
    if not labels.exists():
        text = "".join(f"item {{ id: {n} name: '{name}' }}\n" for n, name in enumerate(NAMES, 1))
        labels.write_text(text, encoding="utf-8")


def sixteen_bit(rng):
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 65535, (96, 96), dtype=np.uint16)).save(stream, "PNG")
    return stream.getvalue()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(*sorted({*KINDS, *PICTURES, *COUNTS, *CUT, "mixed-sizes", "flipped-byte", "validation-flipped-byte"}), sep="\n")
    else:
        main(Path(sys.argv[1]), *sys.argv[2:])
