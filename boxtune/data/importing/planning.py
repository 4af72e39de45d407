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
from boxtune.data.importing.options import ImportOptions, asked_split
from boxtune.data.importing.shards import Shard, Sized, placed
from boxtune.data.importing.splitting import (
    ALL_SPLITS,
    AUTOMATIC,
    TRAIN,
    VALIDATION,
    Member,
    SplitSpec,
    assign,
    film_of,
    films,
)
from boxtune.data.near_duplicates import pairs, tied_together
from boxtune.data.published import read_import, splits_before


@dataclass(frozen=True)
class Plan:
    """What goes where.

    Attributes:
        members: every image that is used.
        splits: split by name.
        shards: every file.
        counts: objects by split and class.
    """

    members: Sequence[Member]
    splits: Mapping[str, str]
    shards: Sequence[Shard]
    counts: Mapping[str, Mapping[str, int]]

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
    return Plan([each.member for each in used], splits, shards, counts)


def _splits(used: Sequence[UsedImage], options: ImportOptions, findings: Findings) -> dict[str, str]:
    """Split by name: the data's own where they have some and nobody asked for another."""
    # Data that name images to train on and no others have no split.
    is_own = options.split is None and any(each.own_split not in ("", TRAIN) for each in used)
    spec = options.split or SplitSpec(seed=options.seed)
    members = _grouped([each.member for each in used], spec, options, is_own, findings)
    if options.keep_together:
        members = _together(members, _near(used))
    for each, member in zip(used, members, strict=True):
        each.member = member
    if is_own:
        return _own_splits(used, options, findings)
    wanted = options.split is not None or options.config is not None  # a config needs records to validate on
    chosen = assign(members, spec, _before(options), wanted)
    if not wanted and set(chosen.values()) == {TRAIN}:
        why = "all kept for training, since so few images, or groups of them, are not split unasked"
        findings.add("warned", "image", why, "--split validation=0.2 splits them", len(used))
    return chosen


def _before(options: ImportOptions) -> dict[str, str]:
    """The splits of an earlier import into this folder, if it was asked for the same ones."""
    earlier = read_import(options.out).get("split")
    return splits_before(options.out) if earlier == asked_split(options) else {}


def _grouped(
    members: list[Member], spec: SplitSpec, options: ImportOptions, is_own: bool, findings: Findings
) -> list[Member]:
    """The images with what their names say of films, where nobody said what belongs together."""
    if is_own or options.grouping.text != AUTOMATIC or any(each.group for each in members):
        return members
    if not films(members, len(spec.names)):
        return members
    members = [replace(each, group=film_of(each.name)) for each in members]
    groups = list(dict.fromkeys(each.group for each in members))
    why = "taken by their names for frames of films, each film in one split; --group none takes images one by one"
    findings.add("warned", "image", why, f"{len(groups)} films, such as {groups[0]}", len(members))
    return members


def _own_splits(used: Sequence[UsedImage], options: ImportOptions, findings: Findings) -> dict[str, str]:
    """The data's own; what belongs together and is in several goes into the first of them."""
    found = {each.member.name: each.own_split or TRAIN for each in used}
    for each in used:
        if not each.own_split:
            findings.add("warned", "image", "in no split of the data, put into train", each.member.name)
    if options.keep_together or options.grouping.is_asked:
        homes: dict[str, str] = {}
        for split in ALL_SPLITS:
            for each in used:
                if found[each.member.name] == split and homes.setdefault(each.member.key, split) != split:
                    what = f"{each.member.name} from {split} to {homes[each.member.key]}"
                    findings.add("repaired", "image", "moved to the split of what belongs to them", what)
                    found[each.member.name] = homes[each.member.key]
    for split in (TRAIN, VALIDATION):
        if split not in found.values():
            why = f"without an image for {split}; --split splits the images anew"
            findings.add("warned", "file", why, options.annotations.name)
    return found


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
