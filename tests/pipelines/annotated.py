"""The demo's digits as somebody annotates them: images in a folder and a COCO file beside it."""

from __future__ import annotations

import json
from pathlib import Path

from boxtune.data.record_files import find_records, read_all


def write_annotated(records: Path, folder: Path) -> tuple[Path, Path]:
    """The COCO file and the folder of images, of every record in a folder."""
    images: list[dict[str, object]] = []
    objects: list[dict[str, object]] = []
    found = find_records([str(records)])
    (folder / "images").mkdir(parents=True)
    for number, (place, example) in enumerate(read_all(found)):
        name = f"{place.split}-{place.number:05d}-digits.{example.format}"
        (folder / "images" / name).write_bytes(example.encoded)
        images.append({"id": number, "file_name": name, "width": example.width, "height": example.height})
        for each in example.objects:
            width, height = (each.xmax - each.xmin) * example.width, (each.ymax - each.ymin) * example.height
            box = [each.xmin * example.width, each.ymin * example.height, width, height]
            objects.append(
                {
                    "id": len(objects),
                    "image_id": number,
                    "category_id": each.label,
                    "bbox": box,
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    categories = [{"id": key, "name": name} for key, name in found.labels.labels.items()]
    file = folder / "instances.json"
    file.write_text(json.dumps({"images": images, "annotations": objects, "categories": categories}))
    return file, folder / "images"
