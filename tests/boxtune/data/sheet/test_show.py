"""`boxtune data show`: the page, the picture, and what is said; in a browser too where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from boxtune.cli.main import run_command
from tests.boxtune.data.made import box, example, picture, write, write_label_map
from tests.experiments import boxtune
from tests.pages import Page

SCRIPT, ENDS, LONG = "<script>document.title = 1</script>", "</script><b>bold</b>", "a long name " * 20
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two splits, with names that would do something if they were not escaped."""
    folder = tmp_path_factory.mktemp("show")
    names = (SCRIPT, ENDS, LONG.strip(), "信号")
    encoded = picture(colour=(3, 3, 3))
    for split, count in (("train", 12), ("validation", 4)):
        examples = [
            example(
                [
                    box(number % 4 + 1, names[number % 4], 0.1, 0.1, 0.5, 0.6 + 0.01 * number),
                    *([box(1, SCRIPT, 0.9, 0.5, 1.3, 0.7)] if number == 3 else []),
                ],
                encoded,
                name=f"<i>{number}</i>.png",
            )
            for number in range(count)
        ]
        write(folder / f"{split}-00000-of-00001", *examples, example(encoded=b"no image"))
    write_label_map(folder, *names, "never")
    return folder


@pytest.fixture(scope="module")
def page_file(folder: Path) -> Path:
    file = folder.parent / "sheet.html"
    done = boxtune("data", "show", folder, "--out", file, "--png", folder.parent / "sheet.png")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "Images that cannot be read: 2",
        "Boxes that reach out of their image: 2",
        str(file),
        str(folder.parent / "sheet.png"),
    ]
    return file


def test_the_page_has_counts_classes_and_headings(page_file: Path) -> None:
    page = Page(page_file.read_text(encoding="utf-8"))
    assert page.headings == ["Look at these first", "Smallest and largest", "Plots", "Classes"]
    assert "train: 13 images, 1 without an object; validation: 5 images, 1 without an object." in page.text
    (table,) = page.tables
    assert table[0] == ["class", "train", "validation", "objects", "images"]
    rows = {row[0]: row[1:] for row in table[1:]}
    assert rows == {
        SCRIPT: ["4", "2", "6", "6"],
        ENDS: ["3", "1", "4", "4"],
        LONG.strip(): ["3", "1", "4", "4"],
        "信号": ["3", "1", "4", "4"],
        "never": ["0", "0", "0", "0"],
    }


def test_the_page_loads_nothing_and_holds_texts_as_texts(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    loads = Page(text).loads
    assert [each for each in loads if not each.startswith(("data:image/jpeg;base64,", "#"))] == []
    assert len(loads) > 20
    assert SCRIPT not in text
    assert ENDS not in text
    assert "<i>3</i>" not in text


def test_the_same_records_give_the_same_page(folder: Path, page_file: Path, tmp_path: Path) -> None:
    boxtune("data", "show", folder, "--out", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page_file.read_bytes()


def test_the_picture_has_boxes_on_dark_images(page_file: Path) -> None:
    image = Image.open(page_file.with_name("sheet.png"))
    assert image.width == 1472
    colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}
    assert (255, 176, 0) in colours
    assert (255, 255, 255) in colours


def test_what_cannot_be_shown_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "train.record", example([box(1, "cat", 0.1, 0.1, 0.5, 0.5)]))
    for arguments, says in (
        ([tmp_path / "nothing"], "no such record file"),
        ([file, "--out", tmp_path / "no" / "page.html"], "page.html: cannot be written"),
        ([file, "--out", tmp_path / "p.html", "--png", tmp_path / "no" / "s.png"], "s.png: cannot be written"),
        ([file, "--label-map", tmp_path / "no.pbtxt"], "cannot be read as a label map"),
    ):
        assert run_command(["data", "show", *map(str, arguments)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line


def test_records_without_an_object_or_a_label_map_are_shown(tmp_path: Path) -> None:
    write(tmp_path / "train.record", example(), example(name="b.png"))
    done = boxtune(
        "data", "show", tmp_path / "train.record", "--out", "page.html", "--png", "sheet.png", folder=tmp_path
    )
    assert done.code == 0, done.err
    assert "No record has an object." in (tmp_path / "page.html").read_text()


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
def test_a_browser_draws_the_plots_and_runs_no_name(page_file: Path, tmp_path: Path) -> None:
    command = [
        str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=10000", "--window-size=1280,1000", "--dump-dom", page_file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env={**os.environ})
    assert f"<title>{page_file.parent.name}" not in done.stdout
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title[1].endswith("– Boxtune")  # a class's name would have set it to 1
    assert len(re.findall(r'class="main-svg"[^>]*style', done.stdout)) == 5
    assert "&lt;script&gt;" in done.stdout
    widths = [float(width) for width in re.findall(r'class="main-svg"[^>]*width="([\d.]+)"', done.stdout)]
    assert max(widths) < 1160
