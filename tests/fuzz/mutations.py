"""What people, editors, templates and disks do to a file: of its text, and of what it says."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

# Each has been met: shells, paths, terminals, numbers at the ends of their types, what YAML and JSON make of words.
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, -0.0, 1e308, 5e-324, float("nan"), float("inf")),
    *("", " ", "\n", "a\nb", "\t", "\0", "\x1b[31mred", "\r", "\u2028", "\u202ex", "\ud83d\ude00", "ä", "x" * 5000),
    *("~", "null", "yes", "0x1F", "1e-5", "3.0", "16:9", "2024-05-01", "NaN", ".inf", "1_000", "0o17", "١"),
    *(
        "$(touch /tmp/owned)",
        "`touch /tmp/owned`",
        "a; touch /tmp/owned",
        "a' b",
        'a" b',
        "a\\",
        "${HOME}",
        "$HOME",
        "!",
        "#",
    ),
    *(
        "../../etc/passwd",
        "/dev/zero",
        "/proc/self/mem",
        "/",
        ".",
        "file:///x",
        "gs://",
        "gs://b/../x",
        "s3://b/k",
        "C:\\x",
    ),
    *(
        "${trialParameters.}",
        "${trialParameters.x}",
        "${trialSpec.Name}",
        "${trialSpec.Labels[x]}",
        "{{ x }}",
        "%s",
        "{0}",
    ),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": {"c": []}}}, ["a", 1, None]),
)
_TOKENS = (
    *(
        b":",
        b": ",
        b"- ",
        b"-",
        b"?",
        b"{{",
        b"}}",
        b"{",
        b"}",
        b"[",
        b"]",
        b"|",
        b">",
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!python/object:os.system ",
    ),
    *(
        b"\t",
        b"\r",
        b"\r\n",
        b"\n",
        b"\n\n---\n",
        b"\n...\n",
        b"\0",
        b"\x08",
        b"\x1b[2J",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\xe2\x80\xa8",
    ),
    *(
        b"'",
        b'"',
        b"\\",
        b"#",
        b"%",
        b"@",
        b"`",
        b"<",
        b"nan",
        b"1e999",
        b"-1",
        b"0" * 400,
        b"9" * 400,
        b"[" * 300,
        b"{a: " * 300,
    ),
)


@st.composite
def texts(draw: st.DrawFn, seed: bytes) -> bytes:
    """`seed` with up to four pieces taken out, doubled, moved, or put in."""
    data = seed
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.sampled_from((0, 1, 2, 8, 40, 400))))
        change = draw(st.sampled_from(("token", "drop", "double", "flip", "line", "bytes", "cut")))
        if change == "token":
            data = data[:begin] + draw(st.sampled_from(_TOKENS)) + data[begin:]
        elif change == "drop":
            data = data[:begin] + data[end:]
        elif change == "double":
            data = data[:end] + data[begin:end] + data[end:]
        elif change == "flip" and begin < len(data):
            data = data[:begin] + bytes([data[begin] ^ 1 << draw(st.integers(0, 7))]) + data[begin + 1 :]
        elif change == "line":
            lines = data.split(b"\n")
            moved = lines.pop(draw(st.integers(0, len(lines) - 1)))
            lines.insert(draw(st.integers(0, len(lines))), moved)
            data = b"\n".join(lines)
        elif change == "bytes":
            data = data[:begin] + draw(st.binary(max_size=8)) + data[end:]
        elif change == "cut":
            data = data[:begin]
    return data


@st.composite
def values(draw: st.DrawFn, seed: Any) -> Any:
    """`seed` (what JSON can hold) with up to three of its parts replaced, left out, doubled, renamed or swapped."""
    whole = copy.deepcopy(seed)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(whole)
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(("replace", "replace", "drop", "double", "rename", "move", "wrap", "number")))
        if change == "replace":
            holder[key] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
        elif change == "drop":
            del holder[key]
        elif change == "double" and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif change == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from((str(key).upper(), f"{key}s", "name", "value", "", "$x", "a.b")))] = holder.pop(
                key
            )
        elif change == "move":
            other, there = draw(st.sampled_from(places))
            holder[key] = copy.deepcopy(other[there])
        elif change == "wrap":
            holder[key] = draw(st.sampled_from(([holder[key]], {"a": holder[key]}, str(holder[key]))))
        elif change == "number":
            holder[key] = draw(st.integers() | st.floats())
    return whole


def _places(whole: Any) -> list[tuple[Any, Any]]:
    """Every (mapping, key) and (list, index) in it."""
    found: list[tuple[Any, Any]] = []
    waiting = [whole]
    while waiting:
        here = waiting.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for key in keys:
            found.append((here, key))
            waiting.append(here[key])
    return found
