"""A pipeline.config as text: reading, with errors that name file, line and the nearest right name; writing."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from google.protobuf import descriptor_pool, text_format
from google.protobuf.message import Message

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

_UNKNOWN_FIELD = re.compile(r'Message type "(?P<message>[\w.]+)" has no field named "(?P<field>\w+)"')
_PREFIX = re.compile(r"^\d+:\d+ : (?:'(?:[^'\\]|\\.)*': )?")


def read_config(path: Path) -> TrainEvalPipelineConfig:
    """The config in the file `path`.

    Raises:
        ConfigError: the file is missing, unreadable, no text, or no TrainEvalPipelineConfig.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give the pipeline.config with --pipeline_config_path") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file; a pipeline.config is protobuf text format") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_config(text, str(path))


def parse_config(text: str, where: str) -> TrainEvalPipelineConfig:
    """The config that `text` is; `where` names its origin in errors.

    Raises:
        ConfigError: `text` is no TrainEvalPipelineConfig in protobuf text format.
    """
    config = TrainEvalPipelineConfig()
    parse_text(text, config, where)
    return config


def parse_text(text: str, message: Message, where: str) -> None:
    """Parse `text` into `message` (any protobuf message); raises ConfigError with `where:LINE:COLUMN`.

    Stricter than the API, which of two values for one field silently takes the last.
    """
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        place = f"{where}:{error.GetLine()}:{error.GetColumn()}" if error.GetLine() else where
        raise ConfigError(f"{place}: {_explain(error)}") from None


def _explain(error: text_format.ParseError) -> str:
    said = _PREFIX.sub("", str(error)).replace("object_detection.protos.", "").rstrip(".")
    unknown = _UNKNOWN_FIELD.search(str(error))
    if unknown is None:
        return said
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
