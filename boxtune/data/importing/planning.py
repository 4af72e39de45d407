"""Data's plan: which images go into which split and shard, decided once every image was looked at."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boxtune.data.findings import Findings
from boxtune.data.importing.gathering import Gathered, UsedImage
from boxtune.data.importing.index import DataIndex
from boxtune.data.importing.options import ImportOptions
from boxtune.data.importing.shards import Shard, Sized, placed
from boxtune.data.importing.splitting import AUTOMATIC, TRAIN, Member, SplitSpec, assign, film_of, films
from boxtune.data.near_duplicates import pairs, tied_together
from boxtune.data.published import splits_before


@dataclass(frozen=True)
class Plan:
    """What goes where.

    Attributes:
        members: every image that is used.
        splits: split by name.
        shards: every file.
        counts: objects by split and class.
        digest: equal for equal images in equal places.
    """

    members: Sequence[Member]
    splits: Mapping[str, str]
    shards: Sequence[Shard]
    counts: Mapping[str, Mapping[str, int]]
    digest: str

    def write_splits(self, path: Path) -> None:
        """A table of image, group and split."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "group", "split"])
            writer.writerows([each.name, each.group, self.splits[each.name]] for each in self.members)


def plan(index: DataIndex, gathered: Gathered, options: ImportOptions, findings: Findings) -> Plan:
    """Decide on splits and shards, and write them into the index.

    Raises:
        AnnotationsError: a split would be empty.
    """
    used = gathered.images
    splits = _splits(used, options, findings)
    _look_for_leaks(used, splits, findings)
    if not options.keep_together:
        _look_for_likeness(used, splits, findings)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in used:
        counts[splits[each.member.name]].update(gathered.labels[place] for place in each.objects)
    _look_for_absent(counts, findings)
    seed = options.seed
    sized = [
        Sized(
            each.number,
            splits[each.member.name],
            hashlib.sha256(f"{seed}:{each.member.sha256.hex()}:{each.member.name}".encode()).digest(),
            each.records,
            each.size,
        )
        for each in used
    ]
    places, shards = placed(sized, options.shards)
    index.place(places)
    digest = hashlib.sha256(repr(shards).encode())
    for each in used:
        member = each.member
        digest.update(f"{member.name}:{member.sha256.hex()}:{sorted(member.labels)}:{splits[member.name]}\n".encode())
    return Plan([each.member for each in used], splits, shards, counts, digest.hexdigest())


def _splits(used: Sequence[UsedImage], options: ImportOptions, findings: Findings) -> dict[str, str]:
    """Split by name: the data's own where they have some and nobody asked for another."""
    if options.split is None and any(each.own_split for each in used):
        for each in used:
            if not each.own_split:
                findings.add("warned", "image", "in no split of the data, put into train", each.member.name)
        return {each.member.name: each.own_split or TRAIN for each in used}
    spec = options.split or SplitSpec(seed=options.seed)
    members = [each.member for each in used]
    if (
        options.grouping.text == AUTOMATIC
        and not any(each.group for each in members)
        and films(members, len(spec.names))
    ):
        members = [replace(each, group=film_of(each.name)) for each in members]
        groups = list(dict.fromkeys(each.group for each in members))
        why = "taken by their names for frames of films, each film in one split; --group none takes images one by one"
        findings.add("warned", "image", why, f"{len(groups)} films, such as {groups[0]}", len(members))
    if options.keep_together:
        members = _together(members, _near(used))
    for each, member in zip(used, members, strict=True):
        each.member = member
    chosen = assign(members, spec, splits_before(options.out), options.split is not None)
    if options.split is None and set(chosen.values()) == {TRAIN}:
        findings.add(
            "warned",
            "image",
            "all kept for training, since so few are not split",
            "--split validation=0.2 does",
            len(used),
        )
    return chosen


def _near(used: Sequence[UsedImage]) -> Iterator[tuple[int, int]]:
    """Places of two that are nearly the same; of what was never decoded whole nobody knows."""
    known = [place for place, each in enumerate(used) if each.fingerprint]
    for one, other in pairs([used[place].fingerprint for place in known]):
        yield known[one], known[other]


def _together(members: Sequence[Member], alike: Iterable[tuple[int, int]]) -> list[Member]:
    """The groups of images that are nearly the same, made one."""
    numbers: dict[str, int] = {}
    own = [numbers.setdefault(each.key, len(numbers)) for each in members]
    tied = tied_together(len(numbers), ((own[one], own[other]) for one, other in alike))
    names: dict[int, str] = {}
    for key, number in numbers.items():
        names.setdefault(tied[number], key)
    return [replace(each, group=names[tied[number]]) for each, number in zip(members, own, strict=True)]


def _look_for_leaks(used: Sequence[UsedImage], splits: Mapping[str, str], findings: Findings) -> None:
    """Images that stand in two splits, the same to the byte."""
    first: dict[bytes, Member] = {}
    for each in used:
        member = each.member
        other = first.setdefault(member.sha256, member)
        if other is not member and splits[other.name] != splits[member.name]:
            what = f"{member.name} in {splits[member.name]} is also {other.name} in {splits[other.name]}"
            findings.add("warned", "image", "in two splits, the same to the byte", what)


def _look_for_likeness(used: Sequence[UsedImage], splits: Mapping[str, str], findings: Findings) -> None:
    """Images of which another split has nearly the same."""
    for one, two in _near(used):
        here, there = used[one].member, used[two].member
        if here.sha256 != there.sha256 and splits[here.name] != splits[there.name]:
            what = f"{there.name} in {splits[there.name]} and {here.name} in {splits[here.name]}"
            findings.add("warned", "image", "nearly the same as one of another split; --keep-together mends it", what)


def _look_for_absent(counts: Mapping[str, Mapping[str, int]], findings: Findings) -> None:
    if len(counts) > 1:
        for name in sorted({name for each in counts.values() for name in each}):
            for split in counts:
                if not counts[split].get(name):
                    findings.add("warned", "class", f"absent from {split}", name)
