"""The contract's guesses at arguments that no command has: what was likely meant by each.

People write an assignment without its `--set=`, with the value of an option behind a blank in one argument, or an
option's name with a letter too few.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from trial_entry.errors import UnknownArgumentError

_SET_FLAG = "--set"
_SET = re.compile(r"-{0,2}set[ =]\s*(?P<assignment>[^\s=]+=.*)")
_OPTION = re.compile(r"(?P<flag>--?[\w.-]+)(?P<joint>=|\s+|$)(?P<value>.*)", re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Za-z_][\w.]*=.*", re.DOTALL)
_NEAR = 0.85  # num_steps is not meant for num_train_steps, model-dir is for model_dir


def unknown_arguments(unknown: Sequence[str], flags: Sequence[str], hint: str) -> UnknownArgumentError:
    """The error that names them, with what to write instead, as far as that can be guessed.

    Args:
        flags: that the command has, such as `--model_dir`.
        hint: closes the message.
    """
    guesses = list(dict.fromkeys(_guesses(unknown, flags)))
    right = f"; write {' '.join(guesses)}" if guesses else ""
    return UnknownArgumentError(f"unrecognized arguments: {' '.join(unknown)}{right} ({hint})", unknown, flags, hint)


def _guesses(unknown: Sequence[str], flags: Sequence[str]) -> Iterator[str]:
    for argument in unknown:
        if _SET_FLAG in flags and (found := _SET.fullmatch(argument)):
            yield f"{_SET_FLAG}={found['assignment']}"
        elif found := _OPTION.fullmatch(argument):
            flag, value = found["flag"], found["value"]
            near = difflib.get_close_matches(f"--{flag.strip('-')}", flags, n=1, cutoff=_NEAR)
            if near:
                yield f"{near[0]}={value}" if value else near[0]
            elif _SET_FLAG in flags and value and found["joint"] == "=":
                yield f"{_SET_FLAG}={flag.strip('-').replace('-', '_')}={value}"
        elif _SET_FLAG in flags and _ASSIGNMENT.fullmatch(argument):
            yield f"{_SET_FLAG}={argument}"
