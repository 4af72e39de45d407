"""Pages' rendering: templates of a room, each of which fills the blocks of `page.html`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(
    templates: Path, name: str, filters: Mapping[str, Callable[..., str]], content: Mapping[str, object]
) -> str:
    """The template `name` of the folder `templates` with `content`, every text of it escaped.

    Args:
        filters: what the template calls by `value | name`.
        content: what it names; `plotly` is plotly's program, or empty where the page has no plot.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, _TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(filters)
    return environment.get_template(name).render(**content)
