"""Checking's verdict on a foreign trial's command: Katib's webhook makes one shell line of it, which is read here.

A shell of this machine is asked whether it can read the line (`sh -n`, which runs nothing); words and commands come
from `shell_words`. Nothing of an Experiment is ever run here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from boxtune.checking.shell_arguments import argument_problems, code_problems, glued_problems, value_problems
from boxtune.checking.shell_leaving import leaving_word
from boxtune.checking.shell_line import FAILED, UNAVAILABLE, VALUE, Line, line_of
from boxtune.checking.shell_words import SimpleCommand, UnclosedError, commands, tokens
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.shell_line import LONGEST_ARGUMENT, is_wrapped
from boxtune.experiment.trial_command import TrialCommand
from boxtune.problems import Problem, error, warning

# Programs whose output has no metric; those of echo and printf alone may.
_QUIET = re.compile(
    r"true|false|:|cd|export|set|unset|sleep|mkdir|rmdir|cp|mv|rm|ln|ls|touch|chmod|chown|exit|return|wait|trap|ulimit"
    r"|umask|test|\[|date|kill|pwd|hostname|nvidia-smi|which|pip3?|apt|apt-get|apk|git|wget|curl|tar|unzip|sync|du|df"
)
_SAYING = ("echo", "printf")
_COLLECTOR_READS = "where the collector reads"


def shell_problems(experiment: Experiment, command: TrialCommand) -> Iterator[Problem]:
    """What the shell makes of a command otherwise than it is meant; nothing where Katib puts no shell around it."""
    if not is_wrapped(experiment.collector.kind) or not command.container.command:
        return
    arguments = command.arguments
    if arguments in (["sh"], ["bash"]):
        yield error(
            f"{command.path}.command",
            f"{arguments[0]} alone, without a script",
            "write its -c and a script, or the program itself",
            "the webhook ends in a panic, and no pod is ever made",
        )
        return
    line = line_of(experiment, command, {})
    found = list(code_problems(line)) or list(glued_problems(line)) or list(_whole(line, experiment))
    yield from found
    if not found:
        yield from argument_problems(line, command)
    yield from value_problems(experiment, command)


def _whole(line: Line, experiment: Experiment) -> Iterator[Problem]:
    size = len(line.text.encode(errors="surrogatepass"))
    if size > LONGEST_ARGUMENT:
        what = f"the trial's command line has {size} bytes, and Linux takes {LONGEST_ARGUMENT} in one argument"
        yield error(line.last_path, f"{what} (argument list too long)", "put it in a file or a ConfigMap", FAILED)
        return
    if not line.script.strip():
        yield error(line.last_path, f"{line.shell} -c without a script", "write it", UNAVAILABLE)
        return
    ending = _ending(line)
    if ending is not None:
        yield ending
        return
    refused = _refusal(line)
    if refused:
        yield error(
            _place_of(line),
            f"the trial's command is one shell line, which {line.shell} cannot read: {refused}",
            "put words with ( ) ; & | < > and quotes in single quotes",
            FAILED,
        )
        return
    try:
        found = tokens(line.text)
    except UnclosedError:
        return  # the shell has read it
    yield from _commands(line, commands(found), experiment)
    yield from _script_arguments(line)


def _ending(line: Line) -> Problem | None:
    """What of the script's end takes Katib's own part of the line away from it."""
    script, added = line.script, line.added
    comes = UNAVAILABLE if line.redirected else FAILED
    try:
        read = tokens(script)
        whole = tokens(line.text)
    except UnclosedError as unclosed:
        if "here-document" in str(unclosed):
            what = f"the here-document's last line is not alone on its line: Katib adds {added} to it"
            return error(line.last_path, what, "put the commands in { …; }, each on a line of its own", comes)
        return None  # the shell says so
    place = len(script)
    swallowing = next((each for each in whole if each.start < place and each.end > place), None)
    if swallowing is not None and swallowing.kind == "comment":
        what = f"ends in the comment {swallowing.raw[: place - swallowing.start].strip()}, which swallows {added}"
        return error(line.last_path, what, "leave the comment out", comes)
    if swallowing is not None:
        what = f"ends in a backslash, which takes the blank before {added}"
        return error(line.last_path, what, "leave it out", comes)
    last = next((each for each in reversed(read) if each.kind not in ("comment", "document")), None)
    if last is not None and (last.kind == "newline" or (last.kind == "operator" and last.raw != ")")):
        end = "a line break" if last.kind == "newline" else last.raw
        block = script.endswith("\n")
        return error(
            line.last_path,
            f"ends in {end}, so that {added} stands behind the last command and not at it: "
            f"its output does not go to {_COLLECTOR_READS}"
            if line.redirected
            else f"ends in {end}, behind which {added} is no command",
            "write |- instead of |" if block else f"leave {end} out",
            comes,
        )
    return None


def _refusal(line: Line) -> str:
    """What the shells of this machine say that the image's could be, if none of them can read the line; or empty.

    `-n` reads and runs nothing. An image's `sh` may be dash, BusyBox' or bash.
    """
    said = ""
    for name in ("sh", "bash") if line.shell == "sh" else ("bash",):
        program = shutil.which(name)
        if program is None:
            continue
        done = subprocess.run(
            [program, "-n"],
            input=line.text.encode(errors="surrogatepass"),
            capture_output=True,
            check=False,
            env={"PATH": os.defpath},
        )
        if not done.returncode:
            return ""
        words = done.stderr.decode(errors="replace").strip().splitlines()
        said = said or (words[0].removeprefix(f"{program}: ") if words else "it is too deep")
    return said


def _place_of(line: Line) -> str:
    """The element at which a shell stumbles: the first that alone it cannot read."""
    for path, text in list(zip(line.paths, line.texts, strict=True))[line.skipped :]:
        try:
            found = tokens(text)
        except UnclosedError:
            return path
        if any(each.kind == "operator" and each.raw in ("(", ")") for each in found):
            return path
    return line.last_path


def _commands(line: Line, found: Sequence[SimpleCommand], experiment: Experiment) -> Iterator[Problem]:
    """Which commands' output is redirected, and whether the line comes to its end."""
    last = next(
        (number for number, each in enumerate(found) if each.tokens[-1:] and each.tokens[-1].end > len(line.script)),
        None,
    )
    if last is None:
        return
    leaving = leaving_word(found[: last + 1])
    if leaving:
        what = "puts the program in the shell's place" if leaving == "exec" else "ends the shell"
        what = f"{leaving} {what}, so that the mark that Katib waits for is never written"
        right = f"leave {leaving} out"
        yield error(line.last_path, what, right, "the collector fails, and with it every trial")
    if leaving == "exit":
        return
    if not line.redirected:
        return
    metrics = experiment.objective.metrics
    first = last
    while first and found[first].before == "|":
        first -= 1
    others = [each for each in found[:first] if not _is_quiet(each, metrics)]
    if not others:
        return
    training = next((each for each in others if _holds_value(each)), others[-1])
    shown = _shown(training)
    if _is_quiet(found[last], metrics):
        yield error(
            line.last_path,
            f"the output of {shown} does not go to {_COLLECTOR_READS}: only that of the last command does, "
            f"and {_shown(found[last])} prints no metric",
            "put the commands in { …; }",
            UNAVAILABLE,
        )
    elif _holds_value(training) and not _holds_value(*found[first : last + 1]) and not _is_written(training):
        yield warning(
            line.last_path,
            f"several commands, and only the last command's output goes to {_COLLECTOR_READS}, not that of {shown}",
            "put the commands in { …; } where it prints the metrics",
        )


def _program(command: SimpleCommand) -> str:
    """The program that a simple command runs, without its folder and without assignments before it; or empty."""
    for word in command.words:
        if not re.match(r"\w+=", word.raw):
            return PurePosixPath(word.text).name
    return ""


def _is_quiet(command: SimpleCommand, metrics: Sequence[str]) -> bool:
    program = _program(command)
    if program in _SAYING:
        said = " ".join(word.text for word in command.words)
        return not any(metric in said for metric in metrics) and not any(word.commands for word in command.words)
    is_function = program == "function" or [each.raw for each in command.tokens[1:3]] == ["(", ")"]
    return not program or _QUIET.fullmatch(program) is not None or is_function


def _holds_value(*held: SimpleCommand) -> bool:
    return any(VALUE in token.raw or token.variables for each in held for token in each.tokens)


def _is_written(command: SimpleCommand) -> bool:
    """Whether its output goes to a file, which a later command may print."""
    return any(each.kind == "redirection" and ">" in each.raw for each in command.tokens)


def _shown(command: SimpleCommand) -> str:
    return f'"{" ".join(word.raw for word in command.words[:2])}"'


def _script_arguments(line: Line) -> Iterator[Problem]:
    """`sh -c SCRIPT A B`: Katib joins all of it to one script, so that there are no $1 and $2."""
    if line.skipped and len(line.texts) > line.skipped + 1:
        number = next((each for each in ("$0", "$1", "$2", "$@", "$*") if each in line.texts[line.skipped]), None)
        if number is not None:
            yield error(
                line.paths[line.skipped],
                f"{number} is empty: the words after the script are joined to it, they are not its arguments",
                "write ${trialParameters.NAME} in the script",
                FAILED,
            )
