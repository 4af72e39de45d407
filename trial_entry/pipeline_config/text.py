"""A pipeline.config as text: reading, with errors that name file, line and the nearest right name; writing."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from google.protobuf import descriptor_pool, text_format
from google.protobuf.message import Message

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.stumbles import stumble
from trial_entry.pipeline_config.text_mistakes import decoded, line_mistake, other_format, unquoted

_WANTED = "a pipeline.config is protobuf text: model { … }"
_UNKNOWN_FIELD = re.compile(r'Message type "(?P<message>[\w.]+)" has no field named "(?P<field>\w+)"')
_NO_STRING = "Expected string"  # protobuf's words
_EXTENSION = re.compile(r'Extension "([\w.]+)" not registered')
_PREFIX = re.compile(r"^\d+:\d+ : ")


def read_config(path: Path) -> TrainEvalPipelineConfig:
    """The config in the file `path`.

    Raises:
        ConfigError: the file is missing, unreadable, no text, or no TrainEvalPipelineConfig.
    """
    return parse_config(read_config_text(path), str(path))


def read_config_text(path: Path) -> str:
    """What stands in the file `path`.

    Raises:
        ConfigError: the file is missing, unreadable, or no text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give the pipeline.config with --pipeline_config_path") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return decoded(data, str(path), _WANTED)


def parse_config(text: str, where: str) -> TrainEvalPipelineConfig:
    """The config that `text` is; `where` names its origin in errors.

    Raises:
        ConfigError: `text` is no TrainEvalPipelineConfig in protobuf text format.
    """
    config = TrainEvalPipelineConfig()
    try:
        parse_text(text, config, where)
    except ConfigError:
        if named := other_format(text):
            raise ConfigError(f"{where}: is {named}; {_WANTED}") from None
        raise
    return config


def parse_text(text: str, message: Message, where: str) -> None:
    """Parse `text` into `message` (any protobuf message); raises ConfigError with `where:LINE:COLUMN`.

    Stricter than the API, which of two values for one field silently takes the last.
    """
    text = text.removeprefix("\ufeff")  # a mark of the file that a ConfigMap was made of
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        place = f"{where}:{error.GetLine()}:{error.GetColumn()}" if error.GetLine() else where
        lines = text.split("\n")
        line = lines[min(error.GetLine() or 1, len(lines)) - 1]
        is_last = not "".join(lines[error.GetLine() or 1 :]).strip()
        raise ConfigError(f"{place}: {_explain(error, line, is_last=is_last)}") from None


def _explain(error: text_format.ParseError, line: str, *, is_last: bool) -> str:
    said = _PREFIX.sub("", str(error)).removeprefix(f"'{line}': ").replace("object_detection.protos.", "").rstrip(".")
    right = line_mistake(line) or stumble(said, line, error.GetColumn() or 0, is_last=is_last)
    if right:
        return right
    if extension := _EXTENSION.search(str(error)):
        what = f'the Object Detection API has no extension "{extension[1]}"'
        return f"{what}, which another program reads; leave it out"
    unknown = _UNKNOWN_FIELD.search(str(error))
    if unknown is None:
        right = unquoted(line, error.GetColumn() or 0) if said.startswith(_NO_STRING) else ""
        return f"{said}; {right}" if right else said
    known = [field.name for field in descriptor_pool.Default().FindMessageTypeByName(unknown["message"]).fields]
    return (
        f'{unknown["message"].rpartition(".")[2]} has no field "{unknown["field"]}"; {nearest(unknown["field"], known)}'
    )


def nearest(name: str, known: list[str]) -> str:
    """ "the nearest is …", or all that there are if nothing is near and they are few."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f'the nearest is "{close[0]}"'
    return f"it has {', '.join(sorted(known))}" if known else "it has none"


def config_text(config: TrainEvalPipelineConfig) -> str:
    """`config` in protobuf text format, as the API itself writes it."""
    return str(text_format.MessageToString(config))
