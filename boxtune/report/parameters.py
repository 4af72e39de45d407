"""What of a config can be searched, as a table and as Katib's YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml
from rich.table import Table

from trial_entry.pipeline_config.aliases.alias import Feasible
from trial_entry.pipeline_config.listing import Assignable

_NO_VALUE = "-"


def parameters_table(found: Sequence[Assignable]) -> Table:
    """Aliases: name, type, current value, what to try, the field that is set, its meaning."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("parameter", no_wrap=True)
    table.add_column("type", no_wrap=True)
    table.add_column("now", overflow="fold", max_width=24)
    table.add_column("try", overflow="fold", max_width=40)
    table.add_column("field", overflow="fold", ratio=3)
    table.add_column("meaning", overflow="fold", ratio=2)
    for each in found:
        tried = range_text(each.feasible) if each.feasible is not None else _NO_VALUE
        table.add_row(each.name, each.kind, each.current or _NO_VALUE, tried, each.field, each.meaning)
    return table


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
    space = _Flow(min=_Quoted(feasible.low), max=_Quoted(feasible.high))
    if feasible.log:
        space["distribution"] = "logUniform"
    return space


def _parameter_name(name: str) -> str:
    """A parameter's name by its alias: a dot is a path's in the tools that show it."""
    return name.replace(".", "_")


def _camel(name: str) -> str:
    first, *others = re.split(r"[._]", name)
    return first + "".join(other.capitalize() for other in others)
