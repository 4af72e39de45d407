"""Experiment's plain words of YAML as kubectl reads them: which are numbers, truth values or nothing, and which texts.

kubectl reads YAML by `sigs.k8s.io/yaml` (go-yaml v2's resolve.go) and hands it on as JSON, so `1e-4` is a number, `y`
is true, `10:30` and `2026-01-01` are texts, and `3.0` is the whole number 3, as JSON knows no difference.
"""

from __future__ import annotations

import math
import re

_WORDS: dict[str, bool | float | None] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
# strconv.ParseInt with base 0, after underscores were taken out.
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)?")  # what begins with a dot, underscores and all
_LEAST, _MOST = -(2**63), 2**64 - 1  # what Go holds as int64 or uint64
_LONGEST = 400  # characters of a word that may be a number
_SHORT = 6  # characters of a fraction that stays as it is in 32 bits, to which Go rounds a key
_WHOLE = 2.0**63  # JSON's numbers below are whole ones where they have no fraction


def plain_value(word: str) -> str | int | float | bool | None:
    """What a word without quotes is."""
    if word in _WORDS:
        return _WORDS[word]
    if not word[0].isascii() or (not word[0].isdigit() and word[0] not in "+-.") or len(word) > _LONGEST:
        return word
    plain = word.replace("_", "")
    if word[0] != "." and _INTEGER.fullmatch(plain):
        whole = _integer(plain)
        if _LEAST <= whole <= _MOST and not (plain[0] == "+" and whole >= _WHOLE):
            return whole
    if _FRACTION.fullmatch(word) if word[0] == "." else _NUMBER.fullmatch(plain):
        number = float(plain)
        if math.isfinite(number):
            return int(number) if number.is_integer() and abs(number) < _WHOLE else number
    return word


def _integer(text: str) -> int:
    """A number of Go's: 0x1F, 0b11, 0o17, and 017 as well, are of another base than ten."""
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        digits = f"0o{digits[1:]}"
    whole = int(digits, 0)
    return -whole if text[0] == "-" else whole


def key_text(word: str) -> str | None:
    """A mapping's key without quotes as the text that JSON has for it; None where Go makes none, or another, of it."""
    value = plain_value(word)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and str(value) == word and len(word) <= _SHORT:
        return word
    if value is None or isinstance(value, float):
        return None
    if isinstance(value, int) and not (_INTEGER.fullmatch(word.replace("_", "")) and value < _WHOLE):
        return None
    return str(value)
