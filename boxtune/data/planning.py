"""Data's plan: which images go into which split and shard, decided once every image was looked at."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boxtune.data.findings import Findings
from boxtune.data.index import DataIndex, Look
from boxtune.data.near_duplicates import pairs
from boxtune.data.options import ImportOptions
from boxtune.data.published import splits_before
from boxtune.data.shards import Shard, Sized, placed
from boxtune.data.splitting import AUTOMATIC, TRAIN, Member, SplitSpec, assign, clips, folder_of
from boxtune.data.tiling import tiles


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


@dataclass
class _Used:
    """What is kept in memory of an image."""

    number: int
    member: Member
    own_split: str
    records: int
    size: int
    fingerprint: bytes
    objects: Counter[str]


def plan(index: DataIndex, options: ImportOptions, findings: Findings) -> Plan:
    """Decide on splits and shards, and write them into the index.

    Raises:
        AnnotationsError: a split would be empty.
    """
    used = _used(index, options, findings)
    splits = _splits(used, options, findings)
    _look_for_leaks(used, splits, findings)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in used:
        counts[splits[each.member.name]] += each.objects
    _look_for_absent(counts, findings)
    seed = options.seed
    sized = [
        Sized(
            each.number,
            splits[each.member.name],
            hashlib.sha256(f"{seed}:{each.member.sha256}:{each.member.name}".encode()).hexdigest(),
            each.records,
            each.size,
        )
        for each in used
    ]
    places, shards = placed(sized, options.shards)
    index.place(places)
    digest = hashlib.sha256(repr(shards).encode())
    for each in used:
        digest.update(f"{each.member}:{splits[each.member.name]}\n".encode())
    return Plan([each.member for each in used], splits, shards, counts, digest.hexdigest())


def _used(index: DataIndex, options: ImportOptions, findings: Findings) -> list[_Used]:
    found: list[_Used] = []
    known: dict[frozenset[str], frozenset[str]] = {}  # many images have the same classes
    for number, image, look in index.looked():
        if look.bad:
            continue
        objects = Counter(each.label for each in look.objects if not each.is_crowd)
        labels = known.setdefault(frozenset(objects), frozenset(objects))
        group = options.grouping.group(image.name, image.group)
        member = Member(image.name, look.sha256, group, labels)
        records = _records(look, options, image.name, findings)
        found.append(_Used(number, member, image.split, records, look.bytes, bytes.fromhex(look.fingerprint), objects))
    return found


def _records(look: Look, options: ImportOptions, name: str, findings: Findings) -> int:
    """How many records an image becomes; what its tiles lose is counted."""
    if options.tiling is None:
        return 1
    cut = tiles(look.objects, look.size, options.tiling, look.sha256)
    dropped = sum(tile.dropped for tile in cut)
    if dropped:
        why = "cut by the edge of a tile, of which too little is visible there to be a box"
        findings.add("skipped", "object", why, name, dropped)
    return len(cut)


def _splits(used: Sequence[_Used], options: ImportOptions, findings: Findings) -> dict[str, str]:
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
        and clips(members, len(spec.names))
    ):
        members = [replace(each, group=folder_of(each.name)) for each in members]
        folders = len({each.group for each in members})
        what = f"{folders} folders of numbered images; --group none takes images one by one"
        findings.add("warned", "file", "taken as one film a folder, each in one split", what, folders)
    if options.keep_together:
        members = _together(members, pairs([each.fingerprint for each in used]))
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


def _together(members: Sequence[Member], alike: Iterable[tuple[int, int]]) -> list[Member]:
    """The groups of images that are nearly the same, made one."""
    parents = {each.group or each.sha256: each.group or each.sha256 for each in members}

    def root(key: str) -> str:
        while parents[key] != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    for one, other in alike:
        first, second = sorted(root(members[place].group or members[place].sha256) for place in (one, other))
        parents[second] = first
    return [replace(each, group=root(each.group or each.sha256)) for each in members]


def _look_for_leaks(used: Sequence[_Used], splits: Mapping[str, str], findings: Findings) -> None:
    """Images that stand in two splits, the same or nearly."""
    first: dict[str, Member] = {}
    for each in used:
        member = each.member
        other = first.setdefault(member.sha256, member)
        if other is not member and splits[other.name] != splits[member.name]:
            what = f"{member.name} in {splits[member.name]} is also {other.name} in {splits[other.name]}"
            findings.add("warned", "image", "in two splits, the same to the byte", what)
    for one, two in pairs([each.fingerprint for each in used]):
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
