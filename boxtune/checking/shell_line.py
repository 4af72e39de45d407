"""Checking's view of the shell line that Katib's webhook makes of a command, the one that a local run executes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.shell_line import TRIAL_NAME, expand, script_of, wrap
from boxtune.experiment.trial_command import PLACEHOLDER, TrialCommand

VALUE = "0.3127"  # in each parameter's place
# What `on_katib` says of a line that goes wrong; a local run, which has the same line, ends so too.
UNAVAILABLE = "every trial ends as MetricsUnavailable"
FAILED = "every trial fails"


@dataclass(frozen=True)
class Line:
    """The line of one trial.

    Attributes:
        paths: of the command's and args' elements, in the Experiment.
        texts: those elements, with a value in each parameter's place and the container's variables filled in.
        skipped: how many of them are the shell's own (`sh -c`).
        shell: `sh` or `bash`.
        text: the whole line.
        redirected: whether the StdOut collector's redirection is in it.
    """

    paths: Sequence[str]
    texts: Sequence[str]
    skipped: int
    shell: str
    text: str
    redirected: bool

    @property
    def script(self) -> str:
        """The part that is the user's."""
        return " ".join(self.texts[self.skipped :])

    @property
    def last_path(self) -> str:
        """Where the script ends in the Experiment."""
        return self.paths[-1]

    @property
    def added(self) -> str:
        """The part that is Katib's, shortened for people."""
        rest = self.text[len(self.script) :].strip()
        return rest.split(" && ")[0] if self.redirected else "&& echo completed > …"


def line_of(experiment: Experiment, command: TrialCommand, values: Mapping[str, str]) -> Line:
    """The line of a trial whose trialParameters have these values, and any others VALUE."""
    container = command.container
    variables = _variables(command, values)
    texts = [expand(_filled(text, values), variables) for text in command.arguments]
    shell, script = script_of(texts)
    many = len(container.command or ())
    paths = [
        f"{command.path}.command.{number}" if number < many else f"{command.path}.args.{number - many}"
        for number in range(len(texts))
    ]
    redirected = experiment.collector.kind == "StdOut"
    *_, text = wrap(texts, PurePosixPath(experiment.collector.path), redirect=redirected)
    return Line(paths, texts, len(texts) - len(script), shell[0], expand(text, {}), redirected)


def _variables(command: TrialCommand, values: Mapping[str, str]) -> dict[str, str]:
    """The container's variables, as far as the Experiment says them; the kubelet fills `$(NAME)` in from them."""
    variables = {TRIAL_NAME: "trial"}
    for entry in command.container.env or ():
        variables[entry.name] = expand(_filled(entry.value or "", values), variables) if entry.value else VALUE
    return variables


def _filled(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values.get(found[1], VALUE), text)
