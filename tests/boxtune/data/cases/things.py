"""Things that several kinds of case paint: sizes, objects, a YOLO pair."""

from __future__ import annotations

from pathlib import Path

from tests.boxtune.data.cases.parts import paint, write, yolo_row

SIZE = (96, 64)
TALL = (64, 96)
CUP, BALL, BOX = ("cup", 10, 8, 30, 28), ("ball", 50, 20, 80, 44), ("box", 20, 36, 40, 56)
EXIF_CUP, EXIF_BALL = ("cup", 6, 10, 26, 30), ("ball", 30, 60, 60, 84)
ROW_CUP, ROW_BALL = yolo_row(0, SIZE, *CUP[1:]), yolo_row(1, SIZE, *BALL[1:])
DATA = "path: .\ntrain: images/train\nval: images/val\nnames: [cup, ball]\n"


def yolo_pair(here: Path, rows: list[str], data: str = DATA) -> None:
    """One image each for training and validation; ROWS are the label file of the first."""
    paint(here / "images/train/a.png", SIZE, [CUP, BALL])
    paint(here / "images/val/b.png", SIZE, [CUP])
    write(here / "labels/train/a.txt", "".join(row + "\n" for row in rows))
    write(here / "labels/val/b.txt", ROW_CUP + "\n")
    write(here / "data.yaml", data)
