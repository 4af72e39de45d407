"""The shell line that Katib's webhook builds, and the kubelet's expansion."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from boxtune.experiment.shell_line import expand, wrap

# What Katib v0.19's webhook makes of `python train.py --lr 1`, read from its source.
PLAIN = "python train.py --lr 1 1>/var/log/katib/metrics.log 2>&1 && echo completed > /var/log/katib/$$$$.pid"
STOPPING = (
    "python train.py --lr 1 1>/var/log/katib/metrics.log 2>&1 || if test -f /var/log/katib/$$$$.pid && "
    "[ $(head -n 1 /var/log/katib/$$.pid) = early-stopped ]; then echo Training Container was Early Stopped; "
    "else echo Training Container was Failed; exit 1; fi && echo completed > /var/log/katib/$$$$.pid"
)


def test_the_shell_line_is_katib_s() -> None:
    command = ["python", "train.py", "--lr", "1"]
    assert wrap(command) == ["sh", "-c", PLAIN]
    assert wrap(command, early_stopping=True) == ["sh", "-c", STOPPING]
    assert wrap(["bash", "-c", "x | y"])[:2] == ["bash", "-c"]
    assert wrap(["sh", "train.sh"]) == ["sh", "-c", PLAIN.replace("python train.py --lr 1", "sh train.sh")]
    assert "1>" not in wrap(command, redirect=False)[2]


def test_the_kubelet_s_expansion() -> None:
    known = {"HOME": "/root", "A.B": "x"}
    assert expand("$(HOME)/a $(NONE) $$ $$$$ $(A.B) $HOME $(a b)", known) == "/root/a $(NONE) $ $$ x $HOME $(a b)"
    assert expand("$$(HOME)", known) == "$(HOME)"


@pytest.mark.parametrize("name", ["My run", "a;touch b", "$(touch b)", "${X}", "$X", "it's", "(x)", "a\nb", "ü"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_run_s_folder_may_have_any_name(tmp_path: Path, name: str, early_stopping: bool) -> None:
    folder = tmp_path / name
    folder.mkdir()
    line = wrap(["echo", "score=1"], PurePosixPath(folder / "metrics.log"), early_stopping=early_stopping)
    subprocess.run([expand(text, {"X": "x"}) for text in line], cwd=tmp_path, check=True)
    assert (folder / "metrics.log").read_text() == "score=1\n"
    assert [file.read_text() for file in folder.glob("*.pid")] == ["completed\n"]
    assert {file.name for file in tmp_path.iterdir()} == {name}
