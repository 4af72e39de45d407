"""Values as assignments write them, compared by what they mean: `off` is `false`, `8` is `8.0`, `1e-3` is `0.001`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

BOOLEANS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
_NUMBERS = ("1", "0")  # of BOOLEANS: booleans beside a word, numbers beside a number


def same_value(one: str, other: str) -> bool:
    """Whether two values mean the same to any field; of lists, element by element.

    `1` is `true` where the other side is a word, and `1.0` where it is a number.
    """
    ours, theirs = ([item.strip() for item in text.split(",")] for text in (one, other))
    return len(ours) == len(theirs) and all(map(_same_item, ours, theirs))


def _same_item(one: str, other: str) -> bool:
    if one == other:
        return True
    words = one.lower(), other.lower()
    if all(word in BOOLEANS for word in words) and not all(word in _NUMBERS for word in words):
        return BOOLEANS[words[0]] == BOOLEANS[words[1]]
    numbers = _number(one), _number(other)
    return numbers[0] is not None and numbers[0] == numbers[1]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
