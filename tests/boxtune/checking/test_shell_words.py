"""Words of shell lines: as the shells of this machine split them, of which nothing but printf is run."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from boxtune.checking.shell_words import UnclosedError, commands, tokens

SHELLS = [name for name in ("sh", "bash", "dash") if shutil.which(name)]
LINES = [
    "a b  c\td",
    "'a b' \"c d\" e\\ f",
    '--lr="0.1" --x=\'a\'"b"c',
    '"a\\"b" "c\\d" \'e\\f\' g\\h',
    "'' \"\" a''b",
    "a=b # a comment",
    "a#b \\# '#'",
    "ä 'ö ü' \\ß",
    '{"lr":0.1} [1,2]',
]


def split_by(shell: str, line: str) -> list[str] | None:
    """The words that a shell makes of a line; None where it cannot read it."""
    script = f"printf '%s\\0' {line}"
    done = subprocess.run([shell, "-fc", script], capture_output=True, check=False, env={"LC_ALL": "C.UTF-8"})
    return done.stdout.decode().split("\0")[:-1] if not done.returncode else None


def words(line: str) -> list[str] | None:
    try:
        return [each.text for each in tokens(f"printf {line}") if each.kind == "word"][1:] or [""]
    except UnclosedError:
        return None


@pytest.mark.parametrize("shell", SHELLS)
def test_words_are_the_shell_s(shell: str) -> None:
    dice = random.Random(3)
    drawn = ["".join(dice.choices("ab '\"\\-=#.", k=dice.randint(1, 12))) for _ in range(150)]
    for line in [*LINES, *(each for each in drawn if not each.endswith("\\"))]:
        assert words(line) == split_by(shell, line), repr(line)


@pytest.mark.parametrize(
    ("line", "split"),
    [
        ("a; b && c || d & e | f\ng", ["a", "b", "c", "d", "e", "f", "g"]),
        ("for i in 1 2; do a; b; done; c", ["for i in 1 2 do a b done", "c"]),
        ("if a; then { b; c; }; else d; fi | tee e", ["if a then { b c } else d fi", "tee e"]),
        ("( a; b ) && c", ["a b", "c"]),
        ("case $x in a) b;; esac; c", ["case $x in a b esac", "c"]),
        ("f() { a; b; }; f", ["f { a b }", "f"]),
        ("a > b 2>&1; c", ["a", "c"]),
        ("python - <<EOF\na; b\nEOF\nc", ["python -", "c"]),
        ('a "$(b; c)" `d; e` ${f:-;}; g', ["a $(b; c) `d; e` ${f:-;}", "g"]),
    ],
)
def test_commands(line: str, split: list[str]) -> None:
    assert [" ".join(word.text for word in each.words) for each in commands(tokens(line))] == split


@pytest.mark.parametrize("line", ["'a", '"a', "$(a", "${a", "`a", "cat <<EOF\na", "$(" * 5000, '"$(' * 3000])
def test_what_has_no_end(line: str) -> None:
    with pytest.raises(UnclosedError):
        tokens(line)
