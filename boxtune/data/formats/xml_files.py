"""Formats in XML: parsed without entities from outside or that grow, errors named by their line."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from boxtune.data.annotations import Box, hull
from boxtune.data.formats.source import number
from boxtune.errors import AnnotationsError


def read_xml(path: Path, shown: str) -> Element:
    """The root of a file.

    Raises:
        AnnotationsError: unreadable, not well-formed, or with entities of its own.
    """
    try:
        root = parse(path).getroot()
    except OSError as error:
        raise AnnotationsError(f"{shown}: cannot be read: {error.strerror}") from None
    except ParseError as error:
        line = error.position[0] if hasattr(error, "position") else 1
        raise AnnotationsError(f"{shown}:{line}: not well-formed XML: {str(error).partition(':')[0]}") from None
    except DefusedXmlException:
        raise AnnotationsError(f"{shown}: declares entities, which annotations never need; take them out") from None
    except (ValueError, LookupError) as error:  # an encoding that the parser does not know
        raise AnnotationsError(f"{shown}:1: cannot be read as XML: {error}; save it as UTF-8") from None
    if root is None:
        raise AnnotationsError(f"{shown}: empty")
    return root


def text_of(element: Element, path: str) -> str:
    """The text at a path below an element, without blanks around it; empty where there is none."""
    return (element.findtext(path) or "").strip()


def flag(element: Element, name: str) -> bool:
    """Whether a child says yes: 1, or true."""
    return text_of(element, name).lower() in ("1", "true", "yes")


def points_hull(pairs: list[tuple[str, str]], place: str) -> Box:
    """The box around points that are written as texts.

    Raises:
        AnnotationsError: no points, or no numbers.
    """
    if not pairs:
        raise AnnotationsError(f"{place}: an outline without points")
    return hull([(number(x, place, "x"), number(y, place, "y")) for x, y in pairs])
