"""The shell line that Katib's webhook builds, and the kubelet's expansion."""

from __future__ import annotations

from boxtune.local.shell_line import expand, wrap

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
