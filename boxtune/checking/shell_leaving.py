"""Checking's search for an `exit` or `exec` by which a line's shell always ends before it has written Katib's mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile

from boxtune.checking.shell_words import SimpleCommand, commands


def leaving_word(found: Sequence[SimpleCommand], is_end: bool = True) -> str:
    """`exit` or `exec` where the shell that runs these commands cannot come to their end; or empty.

    What stands in `( … )`, in a pipe or in the background ends another shell; what stands after `||`, in an `if` or in
    a loop may never be reached. After `&&` it is reached where all went well, which counts at the end alone.

    Args:
        is_end: whether the last of the commands is the last of the line.
    """
    run = [each for each in found if each.tokens]
    for number, each in enumerate(run):
        after = run[number + 1].before if number + 1 < len(run) else ""
        if each.before in ("||", "|") or after in ("|", "&") or (each.before == "&&" and (after or not is_end)):
            continue
        word = _word(each, is_end and not after)
        if word:
            return word
    return ""


def _word(command: SimpleCommand, is_end: bool) -> str:
    """`exit`, `exec` or empty, of one command or of those in its braces."""
    words = list(dropwhile(re.compile(r"\w+=").match, (word.raw for word in command.words)))
    if words[:1] == ["exit"] or (words[:1] == ["exec"] and len(words) > 1):  # exec alone redirects
        return words[0]
    if words[:1] != ["{"]:
        return ""
    end = max((place for place, each in enumerate(command.tokens) if each.raw == "}"), default=len(command.tokens))
    return leaving_word(commands(list(command.tokens[1:end])), is_end)
