"""`boxtune data import` beside the API's create_coco_tf_record on the same images, in one run; memory; large pictures.

python -m tests.benchmarks.data_import [IMAGES]
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from tests.experiments import BOXTUNE

IMAGES = (1_000, 10_000)  # of 640 x 480
SMALL = (1_000, 10_000, 100_000)  # images of 96 x 64, for the memory
OBJECTS = 7  # an image, as in COCO
CLASSES = 10
SIDE = 20_000  # pixels of the large picture
_STOCK = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from trial_entry.detection.compat import load_api
load_api()
import time
from object_detection.dataset_tools import create_coco_tf_record as stock
began = time.perf_counter()
stock._create_tf_record_from_coco_annotations(sys.argv[1], sys.argv[2], sys.argv[3], False, 10)
print(time.perf_counter() - began)
"""


def main(sizes: Sequence[int]) -> None:
    """Print each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for images in sizes:
            beside_stock(folder / str(images), images)
        memory(folder)
        large_picture(folder)


def beside_stock(folder: Path, images: int) -> None:
    """Both on the same COCO file: photographs of 640 x 480 with seven objects each."""
    data = make_coco(folder / "photographs", images, (640, 480), photographs(40))
    annotations, pictures = data / "annotations.json", data / "images"
    sum(len(file.read_bytes()) for file in pictures.iterdir())  # both find them in the page cache
    began = time.perf_counter()
    command = [sys.executable, "-c", _STOCK, str(annotations), str(pictures), str(folder / "stock.record")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    whole, alone = time.perf_counter() - began, float(done.stdout)
    print(f"create_coco_tf_record: {images} images in {whole:.1f} s, {images / whole:.0f} a second")
    print(
        f"  of that {alone:.1f} s reading and writing ({images / alone:.0f} a second), the rest is starting TensorFlow"
    )
    for processes in (1, 2):
        seconds, _ = imported(annotations, pictures, folder / f"ours-{processes}", "--processes", str(processes))
        print(
            f"boxtune data import, {processes} at a time: {images} images in {seconds:.1f} s, {images / seconds:.0f} a "
            f"second: {whole / seconds:.2f} times create_coco_tf_record ({alone / seconds:.2f} times without its start)"
        )
    seconds, _ = imported(annotations, pictures, folder / "ours-2")
    print(f"  the same again, nothing changed: {seconds:.1f} s")
    began = time.perf_counter()
    subprocess.run([*BOXTUNE, "data", "check", str(folder / "ours-2")], stdout=subprocess.DEVNULL, check=False)
    print(f"boxtune data check: {images} images in {time.perf_counter() - began:.1f} s")


def memory(folder: Path) -> None:
    """The peak at three sizes of data set."""
    for count in SMALL:
        data = make_coco(folder / f"small-{count}", count, (96, 64), noise(200))
        seconds, peak = imported(data / "annotations.json", data / "images", folder / f"out-{count}")
        print(f"boxtune data import: {count} images in {seconds:.1f} s, at most {peak:.0f} MiB in all its processes")


def large_picture(folder: Path) -> None:
    """Tiles of a TIFF of SIDE x SIDE pixels."""
    import rasterio
    from rasterio.windows import Window

    data = folder / "large"
    data.mkdir()
    rng = np.random.default_rng(0)
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 3, "dtype": "uint8", "tiled": True}
    with rasterio.open(data / "large.tif", "w", compress="deflate", **profile) as file:
        part = np.kron(rng.integers(0, 255, (3, 100, 100), np.uint8), np.ones((1, 10, 10), np.uint8))
        for top in range(0, SIDE, 1000):
            for left in range(0, SIDE, 1000):
                file.write(part, window=Window(left, top, 1000, 1000))
    boxes = [[*rng.uniform(0, SIDE - 100, 2), *rng.uniform(20, 100, 2)] for _ in range(2000)]
    write_coco(data / "annotations.json", ["large.tif"], (SIDE, SIDE), {0: boxes})
    for processes in ("1", "2"):
        options = ("--tile", "640", "--overlap", "0.2", "--split", "none", "--processes", processes)
        seconds, peak = imported(data / "annotations.json", data, folder / f"tiles-{processes}", *options)
        print(f"tiles of a picture of {SIDE} x {SIDE}, {processes} at a time: {seconds:.1f} s, at most {peak:.0f} MiB")


def imported(annotations: Path, images: Path, out: Path, *options: str) -> tuple[float, float]:
    """Seconds of an import, and the most memory of all its processes together, MiB: proportional set sizes."""
    command = [*BOXTUNE, "data", "import", str(annotations), "--images", str(images), "--out", str(out), *options]
    began, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, _memory(watched))
        time.sleep(0.05)
    assert process.returncode == 0, process.returncode
    return time.perf_counter() - began, peak


def _memory(process: psutil.Process) -> float:
    try:
        family = [process, *process.children(recursive=True)]
        return sum(float(each.memory_full_info().pss) for each in family) / 2**20
    except psutil.Error:  # one ended meanwhile
        return 0.0


def photographs(count: int) -> list[bytes]:
    """Crops of scikit-learn's two photographs as JPEG of 640 x 480, some 65 kB each."""
    from sklearn.datasets import load_sample_images

    rng, found = np.random.default_rng(0), []
    sources = [Image.fromarray(each) for each in load_sample_images().images]
    for number in range(count):
        source = sources[number % len(sources)]
        left, top = (int(rng.integers(0, side - 240)) for side in source.size)
        found.append(
            _jpeg(source.crop((left, top, left + 240, top + 180)).resize((640, 480), Image.Resampling.LANCZOS))
        )
    return found


def noise(count: int) -> list[bytes]:
    """Coloured clouds of 96 x 64."""
    rng = np.random.default_rng(0)
    small = [Image.fromarray(rng.integers(0, 255, (8, 12, 3), np.uint8)) for _ in range(count)]
    return [_jpeg(each.resize((96, 64), Image.Resampling.BICUBIC)) for each in small]


def _jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def make_coco(folder: Path, count: int, size: tuple[int, int], pictures: Sequence[bytes]) -> Path:
    """A data set of `count` images, each with a comment of its own so that none has another's bytes."""
    (folder / "images").mkdir(parents=True)
    names, rng = [], np.random.default_rng(0)
    for number in range(count):
        names.append(f"{number:06d}.jpg")
        data = pictures[number % len(pictures)]
        comment = b"\xff\xfe\x00\x08" + names[-1][:6].encode()
        (folder / "images" / names[-1]).write_bytes(data[:2] + comment + data[2:])
    sizes = rng.uniform(8, min(size) / 2, (count, OBJECTS, 2))
    corners = rng.uniform(0, 1, (count, OBJECTS, 2)) * (np.array(size) - sizes)
    boxes = np.concatenate([corners, sizes], axis=2).round(2)
    write_coco(folder / "annotations.json", names, size, dict(enumerate(boxes.tolist())))
    return folder


def write_coco(path: Path, names: Sequence[str], size: tuple[int, int], boxes: dict[int, list[list[float]]]) -> None:
    """COCO's JSON of these images and their boxes, classes in turn."""
    images = [
        {"id": number, "file_name": name, "width": size[0], "height": size[1]} for number, name in enumerate(names)
    ]
    objects = [
        {"id": number * 10_000 + place, "image_id": number, "category_id": place % CLASSES + 1, "bbox": box}
        | {"area": 1.0, "iscrowd": 0}
        for number, each in boxes.items()
        for place, box in enumerate(each)
    ]
    classes = [{"id": number, "name": f"class {number}"} for number in range(1, CLASSES + 1)]
    path.write_text(json.dumps({"images": images, "annotations": objects, "categories": classes}))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main([int(each) for each in sys.argv[1:]] or IMAGES)
