"""The journal: what it keeps comes back, what happened to it shows, and what is whole of it can be gone on with."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import google_crc32c
import pytest

from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import parse_experiment
from boxtune.local.applying import apply
from boxtune.local.events import FORMAT, Begun, Created, Ended, Event, Finished, Started, from_json, to_json
from boxtune.local.journal import JOURNAL_FILE, Journal, read_lines, written_line
from boxtune.local.reading import open_run, read_journal
from boxtune.local.repair import repair
from boxtune.local.state import RunState
from boxtune.local.store import RunStore
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Condition, Metric, Role, StopRule
from tests.experiments import boxtune, run, shell_experiment, write

OLD = Path(__file__).parent / "old_runs"  # as Boxtune wrote them before formats were counted
MOMENT = "2026-01-01T00:00:00.000000Z"


def story(trials: int = 3) -> list[Event]:
    """What happens in a run of a few trials."""
    experiment = shell_experiment(maxTrialCount=trials)
    events: list[Event] = [Begun(time=MOMENT, experiment=experiment, config_maps={}, options={}, format=FORMAT)]
    for number in range(trials):
        name = f"shell-{number + 1:04d}"
        metric = Metric("score", "0.1", "0.1", "0.1")
        events += [
            Created(time=MOMENT, trial=name, role=Role.SUGGESTED, number=number, assignments={"x": "0.5"},
                    stop_rule=StopRule(0.5, 2) if number else None),
            Started(time=MOMENT, trial=name),
            Ended(time=MOMENT, trial=name, condition=Condition.SUCCEEDED, reason="", exit_code=0, observation=(metric,),
                  seconds=1.0, seconds_spent=number + 1.0, first_values=(0.1, 0.2)),
        ]  # fmt: skip
    return [*events, Finished(time=MOMENT, condition=RunCondition.SUCCEEDED, message="over", seconds_spent=9.0)]


def written(folder: Path, events: list[Event]) -> Path:
    """A journal of these events, by its own writer."""
    folder.mkdir(exist_ok=True)
    file = folder / JOURNAL_FILE
    journal = Journal(file, 0, 0)
    for event in events:
        journal.append(event)
    journal.close()
    return file


def test_every_event_comes_back_as_it_was(tmp_path: Path) -> None:
    events = story()
    assert [from_json(json.loads(json.dumps(to_json(event)))) for event in events] == events
    assert [line.event for line in read_lines(written(tmp_path, events))] == events


def test_a_torn_last_line_was_never_written(tmp_path: Path) -> None:
    events = story()
    file = written(tmp_path, events[:5])
    whole, last = file.read_bytes(), written_line(events[5], 6)
    for torn in (last[:1], last[:40], last[:-1], b"\x00\x00"):
        file.write_bytes(whole + torn)
        found = read_journal(tmp_path)
        assert (found.lines, found.length) == (5, len(whole))
        journal = Journal(file, found.lines, found.length)
        journal.append(events[5])
        journal.close()
        assert file.read_bytes() == whole + last


def test_a_flipped_bit_is_never_read_as_something_else(tmp_path: Path) -> None:
    """Each journal with one bit changed: it is refused by one line that names the place and the way on."""
    file = written(tmp_path / "run", story())
    data, drawn = file.read_bytes(), random.Random(3)
    for _ in range(400):
        changed = bytearray(data)
        changed[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
        file.write_bytes(bytes(changed))
        with pytest.raises(
            RunFolderError, match=r"journal\.jsonl:\d+: damaged: .*; boxtune repair .* keeps what is whole"
        ):
            open_run(tmp_path / "run")


@pytest.mark.parametrize("what", ["missing", "doubled", "swapped", "foreign", "without-checksum"])
def test_lines_that_are_not_as_they_were_written_are_damage(what: str, tmp_path: Path) -> None:
    file = written(tmp_path, story())
    lines = file.read_bytes().splitlines(keepends=True)
    plain = re.sub(rb',"n":\d+,"crc32c":"\w+"', b"", lines[4])
    file.write_bytes(b"".join({
        "missing": [*lines[:4], *lines[5:]],
        "doubled": [*lines[:5], *lines[4:]],
        "swapped": [*lines[:4], lines[5], lines[4], *lines[6:]],
        "foreign": [*lines[:4], b'{"event": "coffee"}\n', *lines[4:]],
        "without-checksum": [*lines[:4], plain, *lines[5:]],
    }[what]))  # fmt: skip
    with pytest.raises(RunFolderError, match=r"journal\.jsonl:[56]: damaged"):
        open_run(tmp_path)


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    begun, *others = story()
    assert isinstance(begun, Begun)
    newer = Begun(time=MOMENT, experiment=begun.experiment, config_maps={}, options={}, format=FORMAT + 1)
    written(tmp_path, [newer, *others])
    with pytest.raises(RunFolderError, match="written by a newer Boxtune"):
        open_run(tmp_path)
    assert "newer" in boxtune("repair", tmp_path).err


def test_a_newer_journal_is_refused_as_one_whatever_else_its_first_line_has(tmp_path: Path) -> None:
    body = b'{"event":"dawn","format":%d,"n":1' % (FORMAT + 1)
    checksum = b"%08x" % google_crc32c.value(body)
    (tmp_path / JOURNAL_FILE).write_bytes(body + b',"crc32c":"' + checksum + b'"}\n')
    for refused in (open_run, repair):
        with pytest.raises(RunFolderError, match="written by a newer Boxtune"):
            refused(tmp_path)


def test_a_state_stays_as_it_was_when_an_event_is_applied(tmp_path: Path) -> None:
    states: list[RunState] = []
    tellings: list[Run] = []
    for event in story():
        states.append(apply(states[-1] if states else None, event, tmp_path))
        tellings.append(states[-1].run())
    assert [state.run() for state in states] == tellings
    assert [trial.name for trial in tellings[-1].trials] == ["shell-0001", "shell-0002", "shell-0003"]
    assert [(trial.created, trial.completed) for trial in tellings[-1].trials] == [(1, 3), (4, 6), (7, 9)]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda events: events[1:],
        lambda events: [events[0], events[0]],
        lambda events: [events[0], events[2]],
        lambda events: [*events[:2], events[1]],
        lambda events: [*events[:4], events[3]],
        lambda events: [*events[:4], events[2]],
    ],
    ids=["no-beginning", "begun-twice", "started-unmade", "made-twice", "ended-twice", "started-after-its-end"],
)
def test_events_that_cannot_follow_each_other_are_damage(wrong: object, tmp_path: Path) -> None:
    assert callable(wrong)
    written(tmp_path, wrong(story()))
    with pytest.raises(RunFolderError, match=r"damaged: .*before"):
        open_run(tmp_path)


def test_repairing_keeps_what_is_whole_and_the_journal_as_it_was(tmp_path: Path) -> None:
    file = written(tmp_path, story())
    lines = file.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b"created", b"creaked")  # the second trial's beginning
    file.write_bytes(damaged := b"".join(lines))
    done = repair(tmp_path)
    assert [text.partition(":")[0] for text in done.dropped] == ["line 5", "line 6", "line 7", "line 11"]
    assert done.damaged is not None
    assert done.damaged.read_bytes() == damaged
    run = open_run(tmp_path)
    assert [trial.name for trial in run.trials] == ["shell-0001", "shell-0003"]
    assert not run.ended
    assert repair(tmp_path).dropped == ()
    file.write_bytes(file.read_bytes()[1:])
    with pytest.raises(RunFolderError, match="its first line, which has the Experiment, is damaged"):
        repair(tmp_path)


def test_a_repaired_run_goes_on(tmp_path: Path) -> None:
    experiment = write(tmp_path / "experiment.yaml", shell_experiment("echo score=1", maxTrialCount=4))
    command = ("run", experiment, "--out", tmp_path / "run")
    assert boxtune(*command).code == 0
    file = tmp_path / "run" / JOURNAL_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b'"created"' in line and b"0002" in line)
    file.write_bytes(b"".join([*lines[:place], lines[place][:30] + b"?" + lines[place][31:], *lines[place + 1 :]]))
    for refused in (boxtune(*command), boxtune("show", tmp_path / "run")):
        assert refused.code == 2
        assert f"boxtune repair {tmp_path / 'run'}" in refused.reason
    assert "dropped: line" in boxtune("repair", tmp_path / "run").out
    again = boxtune(*command)
    assert again.code == 0, again.err
    run = open_run(tmp_path / "run")
    assert len(run.trials) == 4
    assert all(trial.condition is Condition.SUCCEEDED for trial in run.trials)


def test_a_trial_in_a_lost_one_s_place_does_not_meet_what_that_one_left(tmp_path: Path) -> None:
    """A search that knows more by then may suggest something else under the same name, whose folder it then is not."""
    out, last = tmp_path / "run", "shell-0004"
    mine = f'f={out}/trials/$KATIB_TRIAL_NAME/config; test ! -f $f || test "$(cat $f)" = $X || exit 2; echo $X > $f'
    experiment = shell_experiment(f"{mine}; echo score=$X", maxTrialCount=4, maxFailedTrialCount=1)
    command = ("run", write(tmp_path / "experiment.yaml", experiment), "--out", out)
    assert boxtune(*command).code == 0
    (out / "trials" / last / "config").write_text("what was suggested then")
    file = out / JOURNAL_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b'"created"' in line and last.encode() in line)
    file.write_bytes(b"".join([*lines[:place], b"?" + lines[place][1:], *lines[place + 1 :]]))
    aside = out / "trials" / f"{last}.lost-1"
    assert f"set aside: {aside}" in boxtune("repair", out).out
    assert (aside / "config").read_text() == "what was suggested then"
    again = boxtune(*command)
    assert again.code == 0, again.err
    assert repair(out).set_aside == ()


@pytest.mark.parametrize("name", ["whole", "cut-off", "with-baseline"])
def test_folders_of_before_still_open_and_go_on(name: str, tmp_path: Path) -> None:
    shutil.copytree(OLD / name, tmp_path / "run")
    before = open_run(tmp_path / "run")
    file = write(tmp_path / "experiment.yaml", before.experiment.raw)
    if name == "with-baseline":  # its trials train; looking will do
        assert before.baseline is not None
        assert before.baseline.value(before.experiment.objective) is not None
        return
    assert len(before.trials) == 6 if name == "whole" else 3
    done = boxtune("run", file, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    after = open_run(tmp_path / "run")
    assert len(after.trials) == 6
    assert after.trials[:2] == before.trials[:2]
    assert [trial.assignments for trial in after.trials] == [
        trial.assignments for trial in open_run(OLD / "whole").trials
    ]


def test_an_emptied_journal_is_not_begun_anew_over_what_the_trials_left(tmp_path: Path) -> None:
    assert run(tmp_path, shell_experiment(maxTrialCount=2)).code == 0
    (tmp_path / "run" / JOURNAL_FILE).write_bytes(b"")
    again = run(tmp_path, shell_experiment(maxTrialCount=2))
    assert again.code == 2
    assert "is not empty" in again.err


def test_a_folder_that_was_refused_is_free_again(tmp_path: Path) -> None:
    """Also for the process that was refused."""
    experiment = parse_experiment(shell_experiment(), {})
    RunStore(tmp_path, experiment, {"baseline": False}).close()
    with pytest.raises(RunFolderError, match="baseline"):
        RunStore(tmp_path, experiment, {"baseline": True})
    RunStore(tmp_path, experiment, {"baseline": False}).close()
