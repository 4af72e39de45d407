"""Amounts of memory, processors and the like in a pod: numbers with a suffix, as Kubernetes writes them.

Source: the grammar and the canonical form in `apimachinery/pkg/api/resource/quantity.go`. Katib's own models leave
these unlooked at.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from boxtune.problems import JOB_REFUSED, REFUSED, Problem, error

_QUANTITY = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_KIBI, _MOST, _INT64_DIGITS, _PRECISION = 1024, 2**63 - 1, 18, 15
_NANO, _THOUSAND = 9, 3  # Go holds nothing smaller than 1e-9; its exponents are multiples of three
_PLACEHOLDER = "${"
_COUNT = re.compile(r"\d{1,4}")
GPU_LIMIT = "nvidia.com/gpu"


def quantity_problem(value: object, path: str) -> Problem | None:
    """What is wrong with the amount `value` at `path`; None if nothing is."""
    text = str(value).strip()
    if _PLACEHOLDER in text:
        why = "Katib tries the template with a word in each parameter's place; a word is none"
        return error(path, f"{text} must be an amount: {why}", "", REFUSED)
    if isinstance(value, bool) or not _QUANTITY.fullmatch(text):
        return error(path, f'"{text}" must be an amount such as 12Gi, 500m or 1', "", REFUSED)
    if path.endswith(GPU_LIMIT) and not _COUNT.fullmatch(text):
        return error(path, f"{text} must be a whole number of GPUs, such as 1", "", JOB_REFUSED)
    return None


def amount(text: str) -> Fraction:
    """The number that an amount is, such as 2147483648 for `2Gi`; `text` has no problem of `quantity_problem`."""
    found = _QUANTITY.fullmatch(text.strip())
    assert found is not None
    return Fraction(found[2]) * _factor(found[3] or "") * (-1 if found[1] == "-" else 1)


def canonical(text: str) -> str:
    """The amount as Go writes it: `2Gi` for `2048Mi`, `500m` for `0.5`; `text` has no problem of `quantity_problem`."""
    found = _QUANTITY.fullmatch(text)
    assert found is not None
    suffix = found[3] or ""
    if _is_kept(found[2], suffix):
        return text
    sign, is_binary = "-" if found[1] == "-" else "", suffix in _BINARY[1:]
    value = Fraction(found[2]) * _factor(suffix)
    nanos = ceil((min(value, _MOST) if is_binary else value) * 10**_NANO)
    if not nanos:
        return "0"
    if is_binary and value >= _KIBI and nanos % 10**_NANO == 0:
        whole, power = nanos // 10**_NANO, 0
        while whole % _KIBI == 0:
            whole, power = whole // _KIBI, power + 1
        return f"{sign}{whole}{_BINARY[power]}"
    exponent = -_NANO
    while nanos % 10**_THOUSAND == 0:
        nanos, exponent = nanos // 10**_THOUSAND, exponent + _THOUSAND
    own = f"e{exponent}" if exponent else ""
    return f"{sign}{nanos}{own if suffix[1:] and not is_binary else _SUFFIX.get(exponent, own)}"


def _is_kept(digits: str, suffix: str) -> bool:
    """Whether Go keeps the text, as it takes it for canonical without looking closer."""
    whole, _, fraction = digits.partition(".")
    shifted = (whole.lstrip("0") or "0") + fraction
    if suffix in _BINARY[1:]:
        return not fraction and bool(int(shifted) & 7) and len(shifted) + _THOUSAND * _BINARY.index(suffix) < _PRECISION
    scale = (_DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])) - len(fraction)
    fits = len(shifted) <= _INT64_DIGITS and scale >= -_NANO
    return fits and scale % _THOUSAND == 0 and not shifted.endswith("000") and shifted[0] != "0"


def _factor(suffix: str) -> Fraction:
    """What an amount's suffix multiplies it by."""
    if suffix in _BINARY:
        return Fraction(1024) ** _BINARY.index(suffix)
    return Fraction(10) ** (_DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:]))
