"""Report's answer: what a run's confirmation says, in sentences."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator

from boxtune.errors import ExperimentError
from boxtune.experiment.editing import takes_seed
from boxtune.experiment.trial_command import TrialCommand
from boxtune.report.text import number
from boxtune.runs.confirmation import Confirmation, Sample, Verdict
from boxtune.runs.difference import LEVEL, POWER, Estimate, detectable, mean_of, repeats_for
from boxtune.runs.run import Run

_TWO = 2  # significant digits of half an interval
_MOST_DECIMALS = 12
NOT_CONFIRMED = "not confirmed"


def sentence(confirmation: Confirmation) -> str:
    """The answer in one sentence without its subject, such as `better by 0.041 (0.012 to 0.070)`."""
    gain, verdict = confirmation.gain, confirmation.verdict
    decimals = _decimals(gain)
    if verdict is Verdict.WORSE:
        gain = Estimate(-gain.value, -gain.high, -gain.low, gain.error, gain.degrees, gain.deviation)
    value, low, high = (_fixed(each, decimals) for each in (gain.value, gain.low, gain.high))
    if verdict is Verdict.NOT_COMPARED:
        return f"{value} ({low} to {high})"
    if verdict is not Verdict.NOT_DISTINGUISHABLE:
        return f"{verdict} by {value} ({low} to {high})"
    seen = "; ".join(_seen(confirmation, decimals))
    return f"{verdict} from the base config ({low} to {high}){'; ' if seen else ''}{seen}"


def _seen(confirmation: Confirmation, decimals: int) -> Iterator[str]:
    """What gain there would have been no missing, and how many more repeats of each would show half of it."""
    gain = confirmation.gain
    if not gain.error:
        return
    shown = detectable(gain.error, gain.degrees)
    yield f"a gain of {_fixed(shown, decimals)} would have been seen {POWER * 10:.0f} times in 10"
    half = float(f"{shown / 2:.{decimals}f}") or shown / 2
    wanted = repeats_for(half, gain.deviation, confirmation.first)
    there = min(len(each.values) for each in confirmation.samples)
    if wanted is not None and wanted > there:
        yield f"{wanted - there} more repeat{'s' if wanted > there + 1 else ''} would show {_fixed(half, decimals)}"


def answer(run: Run) -> str:
    """One line: what is confirmed, or that nothing is."""
    found = run.confirmation
    if found is not None:
        how = "confirmed" if found.verdict is Verdict.BETTER else "trained again"
        return f"{how}: {claim(found)}"
    return "; ".join([f"{NOT_CONFIRMED}: its number is of one training, chosen for being good", *_how(run)])


def claim(found: Confirmation) -> str:
    """What is confirmed, with its subject."""
    where = f"{found.metric} on the {found.split} split"
    if found.winner_is_base:
        return f"{found.alone}, whose {where} is {sentence(found)}"
    if found.base is None:
        return f"{found.winner.trial} has {where} {sentence(found)}, compared with nothing: {found.alone}"
    return f"by {where} {found.winner.trial} is {sentence(found)}"


def _how(run: Run) -> Iterator[str]:
    if run.repeats:
        ended = sum(trial.condition.ended for trial in run.repeats)
        yield f"{ended} of {len(run.repeats)} repeats have ended"
    elif run.folder is not None and not run.recorded and _takes_seed(run):
        yield f"boxtune confirm {shlex.quote(str(run.folder))} trains it again with other seeds"


def _takes_seed(run: Run) -> bool:
    try:
        return takes_seed(TrialCommand(run.experiment.template))
    except ExperimentError:  # no Job of this machine
        return False


def details(run: Run) -> Iterator[str]:
    """What stands behind the answer, a line each; nothing where there is none."""
    found = run.confirmation
    if found is None:
        return
    against = f" against {_sample(found.base)} of the base config" if found.base is not None else ""
    means = f"{_sample(found.winner, found.first)}{against}"
    yield f"{found.metric} on the {found.split} split: {means}; {LEVEL:.0%} interval of what the seed moves"
    if not found.estimate.error:
        yield "every repeat of a config gave the same: another --seed changes nothing"
    if found.images is not None:
        images = found.images
        groups = f" in {images.groups} groups" if images.groups != images.images else ""
        low, high = (number(each).replace("-", "−") for each in (images.low, images.high))
        yield f"what other images of the kind would move: {low} to {high} ({images.images} images{groups})"
    yield from _caveats(run, found)


def _caveats(run: Run, found: Confirmation) -> Iterator[str]:
    """What makes the answer less than it looks."""
    if found.why_split:
        yield f"measured on the split that chose, not on a test split: {found.why_split}"
    for each in found.samples:
        if each.failed:
            yield f"{each.failed} more repeat{'s' if each.failed > 1 else ''} of {each.trial} failed"
    for contender in found.contenders:
        if contender.fresh is None:
            yield f"{contender.trial} is out: it failed with another seed"
    if found.look > 1:
        yield f"look {found.look} at the {found.split} split: what was searched after an earlier one was chosen by it"
    since = sum(trial.condition.ended for trial in run.trials) - found.trials
    if since > 0:
        yield f"{since} trial{'s' if since > 1 else ''} of the search ended after this; confirm again to take them in"


def _sample(sample: Sample, first: float = 1.0) -> str:
    values = list(sample.values.values())
    counts = f", the first, which helped to choose it, counting {first:g}" if first != 1 else ""
    shown = ", ".join(map(number, values))
    return f"{number(mean_of(values, first).value)} of {len(values)} fresh trainings ({shown}{counts})"


def _decimals(estimate: Estimate) -> int:
    """As many as two significant digits of half the interval have."""
    half = (estimate.high - estimate.low) / 2
    scale = half or abs(estimate.value) / 10**_TWO
    if not scale or not math.isfinite(scale):
        return _TWO
    return min(_MOST_DECIMALS, max(0, _TWO - 1 - math.floor(math.log10(scale))))


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if not float(text) else text.replace("-", "−")
