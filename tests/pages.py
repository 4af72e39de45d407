"""HTML pages, read as a browser would: tables, headings, text, and whatever they would load from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page's tables and text, and whatever it would load from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.headings: list[str] = []
        self.text = ""
        self._stack: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        if tag not in ("meta", "img", "br", "link", "rect", "input"):
            self._stack.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "h2":
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._stack and self._stack.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        where = self._stack[-1] if self._stack else ""
        if where in ("script", "style"):
            return
        self.text += data
        if "td" in self._stack or "th" in self._stack:
            self.tables[-1][-1][-1] += data
        elif where == "h2":
            self.headings[-1] += data
