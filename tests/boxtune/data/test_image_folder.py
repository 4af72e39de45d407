"""Which file is meant by a name that somebody's tool wrote on somebody's machine."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from boxtune.data.image_folder import ImageFolder, ImageNotFound
from boxtune.errors import AnnotationsError

FILES = ("a.png", "left/0001.jpg", "right/0001.jpg", "Tür 1.png", "b.JPG", "sub/c.d.png", "._a.png", "notes.txt")


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    for name in FILES:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return ImageFolder(tmp_path / "images")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        ("C:\\photos\\drone\\a.png", "a.png"),
        ("/home/me/images/left/0001.jpg", "left/0001.jpg"),
        ("photos\\right\\0001.jpg", "right/0001.jpg"),
        ("..\\..\\upload\\4\\a.png", "a.png"),
        (unicodedata.normalize("NFD", "Tür 1.png"), "Tür 1.png"),
        ("b.jpg", "b.JPG"),
        ("a", "a.png"),
        ("a.jpeg", "a.png"),
        ("c.d", "sub/c.d.png"),
        ("RIGHT/0001.JPG", "right/0001.jpg"),
    ],
)
def test_found(folder: ImageFolder, written: str, found: str) -> None:
    assert folder.name_of(folder.find(written)) == found


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0001.jpg", "could be left/0001.jpg or right/0001.jpg"),
        ("z.png", "not found"),
        ("", "empty"),
        ("x" * 400, "not found"),
    ],
)
def test_not_found(folder: ImageFolder, written: str, said: str) -> None:
    with pytest.raises(ImageNotFound, match=said):
        folder.find(written)


def test_nothing_outside_is_found(folder: ImageFolder, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder.root / "link.png").symlink_to(tmp_path / "secret.png")
    for written in ("../secret.png", str(tmp_path / "secret.png")):
        with pytest.raises(ImageNotFound, match="not found"):
            folder.find(written)
    with pytest.raises(ImageNotFound, match="a link that leads out"):
        folder.find("link.png")
    (folder.root / "inner.png").symlink_to(folder.root / "a.png")
    assert folder.find("inner.png") == folder.root / "inner.png"


def test_hidden_files_are_none(folder: ImageFolder) -> None:
    assert "._a.png" not in folder.files
    assert "notes.txt" not in folder.files
    with pytest.raises(AnnotationsError, match="no such folder"):
        ImageFolder(folder.root / "nowhere")
