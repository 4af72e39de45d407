"""A base config with all that its assignments may need: the one way from assignments to the config of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trial_entry.contract.arguments import Assignment
from trial_entry.errors import RequestError
from trial_entry.finding import Finding
from trial_entry.pipeline_config.aliases import current_value
from trial_entry.pipeline_config.aliases.alias import CountExamples, Surroundings
from trial_entry.pipeline_config.checks import MEASURED, MODEL, PATHS, check, findings, refuse
from trial_entry.pipeline_config.field_lines import FieldLines, field_lines
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.inputs import keep_measured, resolve_paths
from trial_entry.pipeline_config.listing import Assignable, assignable_aliases
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import RenderedConfig, assign, config_digest
from trial_entry.pipeline_config.rescaled import SCALING, told
from trial_entry.pipeline_config.rules import schedules
from trial_entry.pipeline_config.text import config_text, parse_config, read_config_text
from trial_entry.storage.naming import stand_ins
from trial_entry.storage.paths import local_file
from trial_entry.storage.urls import Remote

SOME_EXAMPLES = 1000  # of a data set that nobody has counted: enough for any number of epochs to be valid


def some_examples(config: TrainEvalPipelineConfig) -> int:
    """A number of training examples where the data are not here to be counted."""
    return SOME_EXAMPLES


@dataclass(frozen=True)
class BaseConfig:
    """One base config.

    Attributes:
        config: itself; nothing here changes it.
        where: its name in messages.
        folder: what its relative paths are taken from.
        fragments: the blocks that can be swapped in.
        checkpoints: what a swapped-in fragment starts from, by its name.
        count_examples: how many training examples a config has; asked only where `epochs` is assigned.
        text: what it was read from.
    """

    config: TrainEvalPipelineConfig
    where: str
    folder: Path | Remote
    fragments: Fragments = field(default_factory=Fragments)
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    count_examples: CountExamples = some_examples
    text: str = ""

    @classmethod
    def read(cls, path: Path | Remote) -> BaseConfig:
        """The config in the file `path`, or in an object, or in a file that is the copy of one.

        Raises:
            ConfigError: missing, unreadable, or no TrainEvalPipelineConfig.
            DataError: a bucket cannot be read.
        """
        if isinstance(path, Remote):
            text = read_config_text(local_file(path.url))
            return cls(parse_config(text, path.url), path.url, path.parent, text=text)
        url, text = stand_ins().url_of(path), read_config_text(path)
        folder = Remote(url).parent if url else path.resolve().parent
        return cls(parse_config(text, str(path)), url or str(path), folder, text=text)

    @classmethod
    def parse(cls, text: str, where: str) -> BaseConfig:
        """The config that `text` is, from a place called `where`.

        Raises:
            ConfigError: no TrainEvalPipelineConfig in protobuf text format.
        """
        return cls(parse_config(text, where), where, Path(where).parent, text=text)

    def given(self, fragments: Fragments, checkpoints: Mapping[str, str], count_examples: CountExamples) -> BaseConfig:
        """The same with what a trial's arguments say besides its assignments."""
        return replace(self, fragments=fragments, checkpoints=checkpoints, count_examples=count_examples)

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the config without its input paths."""
        return config_digest(self.config)

    def lines(self) -> FieldLines:
        """Where in its text each field stands; nowhere where it was read from none."""
        return field_lines(self.text)

    def current(self, name: str) -> str | None:
        """What the config has for an alias or field path, as an assignment would write it; None where it has no value.

        Raises:
            AssignmentError: there is no such name.
        """
        return current_value(self.config, name)

    def parameters(self) -> list[Assignable]:
        """Every alias that can be assigned in this config, with its value now and what is sane to try."""
        return assignable_aliases(self.config)

    def render(self, assignments: Sequence[Assignment], resolve: bool = True) -> RenderedConfig:
        """The config that a trial with `assignments` runs, complete and checked.

        Args:
            assignments: at most one a field.
            resolve: whether input paths are made absolute, patterns expanded and looked at; a machine that has the
                config alone leaves them as they are.

        Raises:
            ConfigError: the config, or a file that it names.
            AssignmentError: an assignment that names nothing, does not fit, or stands twice.
        """
        before_epochs: Callable[[TrainEvalPipelineConfig], None] = self._resolve if resolve else _leave
        config = self._assigned(assignments, before_epochs)
        refuse(self._told(config, assignments), self.where)
        return RenderedConfig(config, config_text(config), config_digest(config))

    def measured(self, reader: str | None) -> TrainEvalPipelineConfig:
        """The config as an evaluation needs it: one evaluation reader, its paths absolute, and nothing to train on.

        Args:
            reader: the name of the eval_input_reader; None for the one that validates.

        Raises:
            ConfigError: the config, or a file that this reader names.
            DataError: a file may not be looked at, or a bucket cannot be read.
        """
        config = self._assigned([], _leave)
        keep_measured(config, reader, self.folder)
        check(config, self.where, MEASURED)
        return config

    def model(self, assignments: Sequence[Assignment]) -> TrainEvalPipelineConfig:
        """The config with `assignments`, of which the model alone is checked: what can be built without data.

        Raises:
            ConfigError, AssignmentError: as `render`.
        """
        config = self._assigned(assignments, _leave)
        check(config, self.where, MODEL)
        return config

    def assigned(self, assignments: Sequence[Assignment]) -> TrainEvalPipelineConfig:
        """The config that `assignments` make, whatever else is wrong with it.

        Raises:
            AssignmentError: as `render`.
        """
        return self._assigned(assignments, _leave)

    def findings(self, assignments: Sequence[Assignment]) -> list[Finding]:
        """Everything that is wrong with the config that `assignments` make, its files aside; `render` refuses the first
        error.

        Raises:
            AssignmentError: as `render`.
        """
        return list(self._told(self._assigned(assignments, _leave), assignments))

    def _told(self, config: TrainEvalPipelineConfig, assignments: Sequence[Assignment]) -> Iterator[Finding]:
        """What is found in the config that `assignments` made, of its schedule in the base config's numbers."""
        scaling = [each for each in assignments if each.name in SCALING]
        if not scaling:
            return findings(config)
        others = [each for each in assignments if each.name not in SCALING]
        return told(findings(config), list(schedules.findings(self.assigned(others))), scaling, config)

    def check(self, assignments: Sequence[Assignment]) -> RequestError | None:
        """What a trial would say of `assignments`, whatever the rest of the config is; None if nothing."""
        try:
            self._assigned(assignments, _leave)
        except RequestError as wrong:
            return wrong
        return None

    def _assigned(
        self, assignments: Sequence[Assignment], before_epochs: Callable[[TrainEvalPipelineConfig], None]
    ) -> TrainEvalPipelineConfig:
        config = TrainEvalPipelineConfig()
        config.CopyFrom(self.config)
        surroundings = Surroundings(self.count_examples, self.fragments, self.checkpoints)
        assign(config, assignments, surroundings, before_epochs=lambda: before_epochs(config))
        return config

    def _resolve(self, config: TrainEvalPipelineConfig) -> None:
        check(config, self.where, PATHS)
        resolve_paths(config, self.folder)


def _leave(config: TrainEvalPipelineConfig) -> None:
    """Input paths stay as they are."""
