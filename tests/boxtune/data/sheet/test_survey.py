"""One pass over records: what is counted, what is picked."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxtune.data.record_files import RecordFiles, find_records
from boxtune.data.sheet.survey import MOST_ODD, MOST_PICKS, Survey, survey
from tests.boxtune.data.made import box, example, picture, write, write_label_map

SMALL, LARGE = (0.5, 0.5, 0.53, 0.56), (0.0, 0.05, 0.9, 0.9)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> RecordFiles:
    """30 training images with a cat each, of which two have a dog too; three validation images, two of them empty."""
    folder = tmp_path_factory.mktemp("survey")
    encoded = picture()
    cats = [box(1, "cat", 0.1, 0.1, 0.3 + 0.01 * number, 0.6) for number in range(30)]
    others = {4: [box(2, "dog", *SMALL)], 9: [box(2, "dog", *LARGE), box(2, "dog", 0.0, 0.0, 1.2, 0.3)]}
    train = [example([cat, *others.get(number, [])], encoded, name=f"{number}.png") for number, cat in enumerate(cats)]
    for shard in range(3):
        write(folder / f"train-{shard:05d}-of-00003", *train[shard::3])
    write(folder / "validation-00000-of-00001", example(), example([cats[0]]), example())
    write_label_map(folder, "cat", "dog", "dragon")
    return find_records([str(folder)])


@pytest.fixture(scope="module")
def found(records: RecordFiles) -> Survey:
    return survey(records)


def test_everything_is_counted(found: Survey) -> None:
    assert found.images == {"train": 30, "validation": 3}
    assert {split: count for split, count in found.empty.items() if count} == {"validation": 2}
    assert {each.name: (each.objects, each.images) for each in found.classes} == {
        "cat": ({"train": 30, "validation": 1}, 31),
        "dog": ({"train": 3}, 2),
        "dragon": ({}, 0),
    }
    assert found.objects == 34
    assert found.per_image == {0: 2, 1: 29, 2: 1, 3: 1}
    assert (found.sample.images, found.sample.boxes, found.sample.most) == (33, 34, 3)


def test_the_smallest_and_the_largest_come_first(found: Survey) -> None:
    assert found.smallest[0].note == "6 × 6 pixels"
    assert found.smallest[0].objects == (1,)
    assert found.largest[0].note == "180 × 85 pixels, 76.5% of the image"
    for picks in (found.smallest, found.largest):
        assert len(picks) == MOST_PICKS
        assert len({pick.place for pick in picks}) == MOST_PICKS  # one an image


def test_what_is_odd_is_counted_and_picked(found: Survey) -> None:
    assert {kind: picks.count for kind, picks in found.odd.items()} == {"outside": 1}
    (pick,) = found.odd["outside"].kept
    assert pick.objects == (2,)
    assert pick.note == "40 pixels beyond the edge"


def test_memory_holds_few_picks_of_many(tmp_path: Path) -> None:
    tiny = [box(1, "cat", 0.5, 0.5, 0.505, 0.51), box(1, "cat", 0.7, 0.5, 0.71, 0.51)]
    encoded = picture()
    write(tmp_path / "train.record", *(example(tiny, encoded, name=f"{number}.png") for number in range(50)))
    found = survey(find_records([str(tmp_path)]))
    assert found.odd["tiny"].count == 100
    assert len(found.odd["tiny"].kept) == MOST_ODD
    assert found.odd["tiny"].kept[0].note == "1 × 1 pixels; 1 more in this image"
    (cat,) = found.classes
    assert len(cat.picks) == MOST_PICKS


def test_the_same_records_give_the_same_picks(records: RecordFiles, found: Survey) -> None:
    again = survey(records)
    assert again.classes == found.classes
    assert (again.smallest, again.largest, again.odd) == (found.smallest, found.largest, found.odd)
