"""Checking's look at a foreign trial's arguments and at listed values in them: what a shell makes of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from boxtune.checking.shell_line import FAILED, UNAVAILABLE, Line, line_of
from boxtune.checking.shell_words import Token, UnclosedError, tokens
from boxtune.checking.space import breaks_json
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.shell_line import TRIAL_NAME
from boxtune.experiment.trial_command import TrialCommand
from boxtune.problems import Problem, error, warning

_PLAIN = "boxtune-value"  # in a listed value's place
_SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh")
_PYTHON = re.compile(r"python[0-9.]*")
_CODE_AFTER = {"perl": "-e", "ruby": "-e", "node": "-e", "Rscript": "-e", "php": "-r"}
_OPTION = re.compile(r"--?[\w.-]+=")
_SHOWN = 60  # characters of an argument in a message


def code_problems(line: Line) -> Iterator[Problem]:
    """Scripts that are given to another program than Katib's own shell, and which that shell takes apart."""
    for number, (path, text) in enumerate(zip(line.paths, line.texts, strict=True)):
        before = line.texts[:number]
        if not line.skipped and _is_code(before) and not _is_one_word(text):
            yield _split_code(path, text, before)


def glued_problems(line: Line) -> Iterator[Problem]:
    """Operators of the shell in the middle of a program's argument, as in `a&b`, where none is meant."""
    for number, (path, text) in enumerate(zip(line.paths, line.texts, strict=True)):
        if line.skipped or _is_code(line.texts[:number]):
            continue
        try:
            found = tokens(text)
        except UnclosedError:
            continue
        operators = [each for each in found if each.kind in ("operator", "redirection") and _is_inside(each, text)]
        if operators:
            yield _changed(path, text, f"the shell reads its {operators[0].raw}")


def argument_problems(line: Line, command: TrialCommand) -> Iterator[Problem]:
    """What the shell makes of each element of command and args otherwise than it is meant."""
    container = command.container
    known = {TRIAL_NAME, *(each.name for each in container.env or ())} if not container.env_from else None
    for number, (path, text) in enumerate(zip(line.paths, line.texts, strict=True)):
        try:
            found = tokens(text)
        except UnclosedError:
            continue  # it ends in another element, and the line as a whole is right
        if number >= line.skipped and known is not None:
            yield from _unknown_variables(path, found, known)
        if not line.skipped and not _is_code(line.texts[:number]):  # a script is meant for a shell
            yield from _argument(path, text, found, line.texts[number - 1] if number else "")


def _unknown_variables(path: str, found: Sequence[Token], known: set[str]) -> Iterator[Problem]:
    for inside in (each for token in found for each in token.commands):
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", inside):
            has = f"the container's env has no {inside}" if inside not in known else f"{inside} is not filled in"
            what = f"$({inside}): {has}, so the shell runs a program of that name, and nothing stands there"
            yield error(path, what, f"add {inside} to env, or write ${inside} for a variable of the image", FAILED)


def _is_code(before: Sequence[str]) -> bool:
    """Whether what follows `before` is a script for a program that is not Katib's `sh -c`."""
    if not before:
        return False
    flag, programs = before[-1], [PurePosixPath(each).name for each in before[:-1]]
    if any(each in _SHELLS or _PYTHON.fullmatch(each) for each in programs):
        return re.fullmatch(r"-[A-Za-z]*c", flag) is not None
    return any(_CODE_AFTER.get(each) == flag for each in programs)


def _is_one_word(text: str) -> bool:
    """Whether the shell hands a script on as it is: quoted, or without anything that a shell reads."""
    try:
        found = tokens(text)
    except UnclosedError:
        return False
    return len(found) == 1 and (found[0].raw[:1] in ("'", '"') or found[0].text == text)


def _split_code(path: str, text: str, before: Sequence[str]) -> Problem:
    first = text.split(maxsplit=1)[0] if text.split() else ""
    what = f"Katib joins the command to one line of a shell, which splits this script: {' '.join(before[-2:])} gets"
    shells = [PurePosixPath(each).name for each in before if PurePosixPath(each).name in _SHELLS]
    if not shells:
        return error(path, f'{what} "{first}" alone', "put the code in single quotes", FAILED)
    return error(
        path,
        f'{what} "{first}" alone (only sh or bash as the first word and -c as the second are left alone)',
        f"write command: [{'bash' if shells[0] == 'bash' else 'sh'}, -c]",
        UNAVAILABLE,
    )


def _argument(path: str, text: str, found: Sequence[Token], before: str) -> Iterator[Problem]:
    """One argument of a program: what the shell changes of its value."""
    words = [each for each in found if each.kind == "word"]
    option = _OPTION.match(text)
    value = text[option.end() :] if option else text
    first = words[0].text if words else ""
    if any(each.kind == "operator" for each in found):
        return  # written for a shell
    elif len(words) > 1 and option is not None:
        yield _changed(path, text, f"the shell splits it at its blanks: the trial gets {first} and {words[1].text}")
    elif value.startswith(("{", "[")) and words and any(each.raw != each.text for each in words):
        yield _changed(path, text, f"the shell takes its quotes away: the trial gets {' '.join(w.text for w in words)}")
    elif any(each.dropped for each in words):
        yield _changed(
            path, text, f"the shell takes its backslashes away: the trial gets {' '.join(w.text for w in words)}"
        )
    elif len(words) > 1 and before.startswith("-") and "=" not in before and not text.startswith("-"):
        what = f'"{text}" is {len(words)} words for the shell, {first} and so on'
        yield warning(path, what, "put it in quotes if it is one")


def _is_inside(token: Token, text: str) -> bool:
    """Whether an operator stands in the middle of a word, as in `a&b`; blanks around it say that it is meant."""
    before, after = text[: token.start], text[token.end :]
    return bool(before) and bool(after) and not before[-1].isspace() and not after[0].isspace()


def _changed(path: str, text: str, what: str) -> Problem:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return error(path, f'"{shown}" has characters that a shell reads; {what}', "put it in single quotes")


def value_problems(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    """Values of lists that the shell changes in the place where they stand."""
    for number, spec in enumerate(experiment.parameters):
        names = [name for name, reference in command.references.items() if reference == spec.name]
        for value in spec.values if names else ():
            if breaks_json(value) or not any(_changes(experiment, command, name, value) for name in names):
                continue
            raw = experiment.raw["spec"]["parameters"][number]["feasibleSpace"]["list"]
            yield error(
                f"spec.parameters.{number}.feasibleSpace.list.{raw.index(value)}",
                f'"{value}" has characters that a shell reads',
                f"put ${{trialParameters.{names[0]}}} in quotes in the command, or use letters, digits and @%+=:,./_-",
                "the trial's command is one shell line, which they break",
            )


def _changes(experiment: Experiment, command: TrialCommand, name: str, value: str) -> bool:
    """Whether the line has other tokens with the value than with a plain one in its place."""
    plain, line = (line_of(experiment, command, {name: each}).text for each in (_PLAIN, value))
    try:
        meant = [(each.kind, each.text.replace(_PLAIN, value), each.variables, each.commands) for each in tokens(plain)]
    except UnclosedError:
        return False  # the line is wrong by itself
    try:
        return meant != [(each.kind, each.text, each.variables, each.commands) for each in tokens(line)]
    except UnclosedError:
        return True
