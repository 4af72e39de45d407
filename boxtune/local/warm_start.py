"""What `boxtune run --warm-start RUN` tells a run: read from the earlier runs' journals once, when it is begun.

From then on it stands in the run's own journal: whoever goes on with the run is told the same, whatever became of the
earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boxtune.errors import InputError, RunFolderError
from boxtune.experiment.experiment import Experiment
from boxtune.local.earlier_run import EarlierRun
from boxtune.local.events import Begun
from boxtune.local.journal import JOURNAL_FILE, read_lines
from boxtune.local.reading import LOCK_FILE, is_locked, read_state
from boxtune.local.state import RunState
from boxtune.local.template import Template
from boxtune.runs.prior import PriorRun
from boxtune.search.algorithm import Teaches
from boxtune.search.catalogue import ALGORITHMS, find_algorithm

_OPTION = "--warm-start"


def prior_runs(
    folder: Path, sources: Sequence[Path], experiment: Experiment, template: Template
) -> tuple[PriorRun, ...]:
    """What the run in `folder` is told, or was told when it was begun.

    Args:
        sources: folders of earlier runs, or records of searches on a cluster; none for a run that is told nothing, or
            what it was told.

    Raises:
        InputError: the run was begun with others; or its algorithm learns nothing from earlier trials, or there is no
            earlier run that says anything of this search.
    """
    first = next(read_lines(folder / JOURNAL_FILE), None)
    if first is not None and isinstance(first.event, Begun):
        return _kept(folder, first.event.warm_start, sources)
    if not sources:
        return ()
    teaches = _teaches(experiment.algorithm)
    once = {source.resolve(): source for source in sources}
    states = {source: _state(source, folder) for source in once.values()}
    _refuse_copies(states)
    return tuple(_told(source, state, experiment, template, teaches) for source, state in states.items())


def _kept(folder: Path, kept: Sequence[PriorRun], sources: Sequence[Path]) -> tuple[PriorRun, ...]:
    asked = {str(source.resolve()) for source in sources}
    if asked and asked != {run.source for run in kept}:
        begun = " ".join(f"{_OPTION} {run.source}" for run in kept) or f"without {_OPTION}"
        raise RunFolderError(
            f"{folder}: was begun {'with ' if kept else ''}{begun}; leave {_OPTION} out, or give another --out"
        )
    return tuple(kept)


def _teaches(algorithm: str) -> Teaches:
    teaches = find_algorithm(algorithm).teaches if algorithm in ALGORITHMS else Teaches.NOTHING
    if teaches is Teaches.NOTHING:
        able = ", ".join(sorted(name for name in ALGORITHMS if find_algorithm(name).teaches is not Teaches.NOTHING))
        raise InputError(f"{_OPTION}: {algorithm} learns nothing from earlier trials; {able} do (--algorithm NAME)")
    return teaches


def _state(source: Path, folder: Path) -> RunState:
    if source.resolve() == folder.resolve():
        raise InputError(f"{_OPTION} {source}: is the run itself, which goes on without being told of it")
    try:
        return read_state(source)
    except RunFolderError as wrong:
        raise InputError(f"{_OPTION} {wrong}") from None


def _refuse_copies(states: Mapping[Path, RunState]) -> None:
    """What was measured once would count twice."""
    begun: dict[tuple[str, str], Path] = {}
    for source, state in states.items():
        first = begun.setdefault((state.started, state.experiment.name), source)
        if first != source:
            raise InputError(f"{_OPTION} {source}: is the run of {first}, copied; name one of the two")


def _told(source: Path, state: RunState, experiment: Experiment, template: Template, teaches: Teaches) -> PriorRun:
    earlier = EarlierRun(state, experiment, template)
    try:
        earlier.refuse_another_search()
    except InputError as wrong:
        raise InputError(f"{_OPTION} {source}: {wrong}") from None
    told = earlier.told(str(source.resolve()), teaches, is_locked(source / LOCK_FILE))
    if not told.trials:
        out = "; ".join(f"{many} {reason}" for reason, many in told.left_out.items()) or "it has none"
        raise InputError(f"{_OPTION} {source}: no trial of it says anything here ({out})")
    return told
