"""Data's splits: which images train, validate and test; by content, so that adding images moves none.

Each group has a number between 0 and 1 that follows from its content (or name) and the seed alone; below a split's
share it is in that split. Then a class that is absent from a split, though it has groups enough, is given one.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from boxtune.data.findings import counted
from boxtune.errors import AnnotationsError, InputError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
_KNOWN = (VALIDATION, TEST)
ALL_SPLITS = (TRAIN, *_KNOWN)
BY_IMAGE, BY_FOLDER, AUTOMATIC = "none", "folder", "auto"
_COLUMN = "column:"
_FEW_GROUPS = 10  # fewer are not split unless somebody asks
_MUCH = 1.5  # times its share, or its share by this: so much a split of groups may differ
_SPREAD = 1 << 64
_NUMBERED = re.compile(r"(?P<film>.*?)[-_ .]*\d+")


@dataclass(frozen=True)
class SplitSpec:
    """What share of the images goes where; the rest trains.

    Attributes:
        shares: of validation and test; empty for no split at all.
        seed: another one makes another split.
    """

    shares: Mapping[str, float] = field(default_factory=lambda: {VALIDATION: 0.2, TEST: 0.1})
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All splits, train first."""
        return (TRAIN, *self.shares)


@dataclass(frozen=True, slots=True)
class Member:
    """What a split knows of an image.

    Attributes:
        name: its name.
        sha256: of its file.
        group: what it must stay with; empty for itself alone.
        labels: classes of its objects.
    """

    name: str
    sha256: bytes
    group: str
    labels: frozenset[str]

    @property
    def key(self) -> str:
        """Of its group; equal for equal contents where it has none."""
        return self.group or self.sha256.hex()


def parse_split(text: str, seed: int, option: str = "--split") -> SplitSpec:
    """`validation=0.2,test=0.1`, or `none`.

    Args:
        option: what whoever wrote it knows it as.

    Raises:
        InputError: not of that form, or shares that leave nothing to train on.
    """
    if text == "none":
        return SplitSpec({}, seed)
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            share = 0.0
        if name not in _KNOWN or name in shares or not 0 < share < 1:
            what = "the rest trains" if name == TRAIN else "a name and a share, each name once"
            raise InputError(f'{option} "{text}": "{part}"; {what}: write validation=0.2,test=0.1, or none')
        shares[name] = share
    if sum(shares.values()) >= 1:
        raise InputError(f'{option} "{text}": nothing is left to train on')
    return SplitSpec({name: shares[name] for name in _KNOWN if name in shares}, seed)


class Grouping:
    """Which group an image belongs to, by `--group`: `none`, `folder`, `column:NAME`, or an expression on its name."""

    def __init__(self, text: str, option: str = "--group") -> None:
        """
        Args:
            option: what whoever wrote it knows it as.

        Raises:
            InputError: an expression that is none.
        """
        self.text = text
        self.column = text.removeprefix(_COLUMN) if text.startswith(_COLUMN) else ""
        is_word = text in (BY_IMAGE, BY_FOLDER, AUTOMATIC) or bool(self.column)
        try:
            self._expression = None if is_word else re.compile(text)
        except re.error as error:
            raise InputError(f'{option} "{text}": no regular expression: {error}') from None

    @property
    def is_asked(self) -> bool:
        """Whether something was named that groups images."""
        return self.text not in (BY_IMAGE, AUTOMATIC)

    def group(self, name: str, given: str) -> str:
        """The group of an image whose data say `given`; empty where it is alone."""
        if self._expression is not None:
            found = self._expression.search(name)
            return "" if found is None else next((each for each in found.groups() if each), found.group())
        return folder_of(name) if self.text == BY_FOLDER else given


def folder_of(name: str) -> str:
    """The folder of an image."""
    return PurePosixPath(name).parent.as_posix()


def film_of(name: str) -> str:
    """What an image is a frame of, by its name: all of it but the number at its end; empty where it has none.

    Roboflow puts `.rf.` and a hash behind the name of the image that it made copies of.
    """
    path = PurePosixPath(name)
    source, is_copy, _ = path.stem.partition(".rf.")
    found = _NUMBERED.fullmatch(source)
    if found is None:
        return str(path.parent / source) if is_copy else ""
    return str(path.parent / (source if is_copy else found["film"]))


def films(members: Sequence[Member], splits: int) -> bool:
    """Whether images look like the frames of several films: numbered, and no class in few of the films alone."""
    by_film: dict[str, set[str]] = defaultdict(set)
    for member in members:
        film = film_of(member.name)
        if not film:
            return False
        by_film[film] |= member.labels
    if len(by_film) < 2 * splits or 2 * len(by_film) > len(members):
        return False
    counts = Counter(label for labels in by_film.values() for label in labels)
    return all(count >= splits for count in counts.values())


def assign(members: Sequence[Member], spec: SplitSpec, before: Mapping[str, str], wanted: bool) -> dict[str, str]:
    """Split by image name.

    Args:
        before: split by name of an earlier import, which stays.
        wanted: whether the split was asked for: then one that would be empty is an error, else all train.

    Raises:
        AnnotationsError: a split would be empty.
    """
    groups: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[member.key].append(member)
    if not spec.shares or (not wanted and len(groups) < _FEW_GROUPS):
        return {member.name: TRAIN for member in members}
    if len(groups) < len(spec.names):
        raise AnnotationsError(
            f"--split: {len(groups)} {counted('group', len(groups))} of images for {len(spec.names)} splits, so that "
            "one would be empty; --split none, or more images"
        )
    chosen, free = {}, set[str]()
    for key, inside in groups.items():
        earlier = {before[member.name] for member in inside if before.get(member.name) in spec.names}
        chosen[key] = earlier.pop() if len(earlier) == 1 else _by_number(_number(spec.seed, key), spec)
        free |= set() if any(member.name in before for member in inside) else {key}
    labels = {key: frozenset().union(*(member.labels for member in inside)) for key, inside in groups.items()}
    if len(groups) < len(members):
        _balance(chosen, {key: len(inside) for key, inside in groups.items()}, spec, free)
    _give_every_class(chosen, labels, spec, free)
    _fill(chosen, spec, free)
    return {member.name: chosen[key] for key, inside in groups.items() for member in inside}


def _number(seed: int, key: str) -> float:
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _SPREAD


def _by_number(number: float, spec: SplitSpec) -> str:
    for name, share in spec.shares.items():
        if number < share:
            return name
        number -= share
    return TRAIN


def _balance(chosen: dict[str, str], sizes: Mapping[str, int], spec: SplitSpec, free: Collection[str]) -> None:
    """Few large groups may fall so that a split has much more or less than its share: move those that mend it."""
    total = sum(sizes.values())
    for split, share in spec.shares.items():
        wanted = share * total
        for _ in chosen:
            size = sum(sizes[key] for key, home in chosen.items() if home == split)
            if wanted / _MUCH <= size <= wanted * _MUCH:
                break
            source, target, sign = (split, TRAIN, -1) if size > wanted else (TRAIN, split, 1)
            movable = [key for key, home in chosen.items() if home == source and key in free]
            off = {key: abs(size + sign * sizes[key] - wanted) for key in movable}
            best = min(movable, key=lambda key: (off[key], _number(spec.seed, key)), default=None)
            if best is None or off[best] >= abs(size - wanted):
                break
            chosen[best] = target


def _give_every_class(
    chosen: dict[str, str], labels: Mapping[str, frozenset[str]], spec: SplitSpec, free: Collection[str]
) -> None:
    """Move groups so that each class is in each split, training first; the rarest first, none lost for it."""
    having: dict[str, list[str]] = defaultdict(list)
    for key, names in labels.items():
        for name in names:
            having[name].append(key)
    for name in sorted(having, key=lambda each: (len(having[each]), each)):
        for split in spec.names[: len(having[name])]:
            if all(chosen[key] != split for key in having[name]):
                movable = [key for key in having[name] if key in free]
                _move(split, movable, chosen, labels, having, spec.seed)


def _move(
    split: str,
    candidates: Iterable[str],
    chosen: dict[str, str],
    labels: Mapping[str, frozenset[str]],
    having: Mapping[str, list[str]],
    seed: int,
) -> None:
    """One of the candidates to `split`: one whose own split keeps all of its classes, by its number."""
    for key in sorted(candidates, key=lambda each: (chosen[each] != TRAIN, _number(seed, each))):
        home = chosen[key]
        if split == TRAIN or all(sum(chosen[other] == home for other in having[name]) > 1 for name in labels[key]):
            chosen[key] = split
            return


def _fill(chosen: dict[str, str], spec: SplitSpec, free: Collection[str]) -> None:
    """No split is left empty: it is given the group of the lowest number of the largest."""
    for split in spec.names:
        if split not in chosen.values():
            largest = max(spec.names, key=lambda name: sum(each == name for each in chosen.values()))
            key = min(
                (key for key, home in chosen.items() if home == largest), key=lambda each: _number(spec.seed, each)
            )
            chosen[key] = split
