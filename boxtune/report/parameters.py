"""What of a config can be searched, as a table, as a list where there is no room for one, and as Katib's YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from rich.table import Table

from trial_entry.pipeline_config.aliases.alias import Feasible
from trial_entry.pipeline_config.listing import Assignable

_NO_VALUE = "-"
_HEADS = ("parameter", "type", "now", "try", "field", "meaning")
_GAP = 2  # between columns
_LEAST = (0, 0, 24, 40, 0, 40)  # of a column whose texts are wrapped; 0 for those that stay on one line
_INDENT = "    "
_PIECE = re.compile(r"[^./,]*[./,]|[^./,]+")  # of a path or list that no line has room for


def parameters_text(found: Sequence[Assignable], width: int) -> Table | str:
    """Aliases: name, type, current value, what to try, the field that is set, its meaning.

    A table where its columns have room in `width` characters without a word being broken; else a list, an alias a
    paragraph.
    """
    rows = [_row(each) for each in found]
    texts = list(zip(_HEADS, *rows, strict=True))
    columns = [_column_width(each, least) for each, least in zip(texts, _LEAST, strict=True)]
    if sum(columns) + _GAP * (len(columns) - 1) > width:
        return "\n".join(line for row in rows for line in _paragraph(row, width))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for head, column, least in zip(_HEADS, columns, _LEAST, strict=True):
        is_last = head == _HEADS[-1]
        table.add_column(head, no_wrap=not least, max_width=None if is_last else column)
    for row in rows:
        table.add_row(*row)
    return table


def _row(each: Assignable) -> tuple[str, ...]:
    tried = range_text(each.feasible) if each.feasible is not None else _NO_VALUE
    return each.name, each.kind, each.current or _NO_VALUE, tried, each.field, each.meaning


def _column_width(texts: Sequence[str], least: int) -> int:
    """Of a column: its longest text, or, where texts are wrapped, at least its longest word."""
    longest, word = max(map(len, texts)), max(len(word) for text in texts for word in text.split(" "))
    return min(longest, max(least, word)) if least else longest


def _paragraph(row: Sequence[str], width: int) -> Iterator[str]:
    """One alias in lines of at most `width` characters, of which the first has what is short."""
    name, kind, now, tried, field, meaning = row
    yield from _wrapped(f"{name}  {kind}, now {now}", width, "")
    for text in (meaning, f"try {tried}" if tried != _NO_VALUE else "", f"sets {field}"):
        yield from _wrapped(text, width, _INDENT)


def _wrapped(text: str, width: int, indent: str) -> Iterator[str]:
    """Lines of whole words; a path or list that is longer than a line ends one after a dot, slash or comma."""
    line, room = "", width - len(indent) - len(_INDENT)  # of which what goes on has less
    for word in text.split(" "):
        for number, piece in enumerate(_PIECE.findall(word) if len(word) > room else [word]):
            joint = " " if line and not number else ""
            if line and len(line) + len(joint) + len(piece) > room:
                yield indent + line
                indent = indent if indent else _INDENT
                line, joint = "", ""
            line += joint + piece
    if line:
        yield indent + line


def range_text(feasible: Feasible) -> str:
    """`0.0001 to 0.01, log`, or the values."""
    if feasible.values:
        return " | ".join(feasible.values)
    return f"{feasible.low} to {feasible.high}, {feasible.scale}"


def parameters_yaml(found: Sequence[Assignable]) -> str:
    """The blocks of an Experiment that search what of `found` has a feasible range.

    Returns:
        `parameters` (of the spec), `trialParameters` (of the trialTemplate) and `args` (of the container).
    """
    searched = [(each, each.feasible) for each in found if each.feasible is not None]
    parameters = [
        {
            "name": _parameter_name(each.name),
            "parameterType": feasible.parameter_type,
            "feasibleSpace": _space(feasible),
        }
        for each, feasible in searched
    ]
    references = [{"name": _camel(each.name), "reference": _parameter_name(each.name)} for each, _ in searched]
    args = [f"--set={each.name}=${{trialParameters.{_camel(each.name)}}}" for each, _ in searched]
    blocks = {"parameters": parameters, "trialParameters": references, "args": args}
    return yaml.dump(blocks, Dumper=_Dumper, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Numbers as text in quotes, as Katib wants them, and a feasibleSpace on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented, as in the Experiments."""
        super().increase_indent(flow, False)


class _Quoted(str):
    """Text that stands in quotes whatever it looks like."""


class _Flow(dict[str, Any]):
    """A mapping on one line."""


_Dumper.add_representer(_Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(
    _Flow, lambda dumper, mapping: dumper.represent_mapping("tag:yaml.org,2002:map", mapping, flow_style=True)
)


def _space(feasible: Feasible) -> _Flow:
    if feasible.values:
        return _Flow(list=[_Quoted(value) for value in feasible.values])
    space = _Flow(min=_number(feasible.low), max=_number(feasible.high))
    if feasible.log:
        space["distribution"] = "logUniform"
    return space


def _number(text: str) -> _Quoted:
    """A number that YAML 1.1 and 1.2 both take for one: a tool that writes the file anew then keeps its quotes."""
    whole, exponent, power = text.partition("e")
    return _Quoted(f"{whole}.0e{power}" if exponent and "." not in whole else text)


def _parameter_name(name: str) -> str:
    """A parameter's name by its alias: a dot is a path's in the tools that show it."""
    return name.replace(".", "_")


def _camel(name: str) -> str:
    first, *others = re.split(r"[._]", name)
    return first + "".join(other.capitalize() for other in others)
