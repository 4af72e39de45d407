"""A run's answer in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from boxtune.experiment.experiment import parse_experiment
from boxtune.report.answer import answer, details, sentence
from boxtune.report.verdict import verdict
from boxtune.runs.confirmation import Confirmation, Contender, Images, Sample, Verdict
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Condition
from tests.boxtune.report.runs import run_of, trial
from tests.boxtune.search.test_repeating import MAXIMIZE
from tests.experiments import container, shell_experiment
from trial_entry.contract.files import CONFIG_FILE, TRIAL_FILE

GOOD, BASE = [0.35, 0.36, 0.34], [0.31, 0.30, 0.32]


def confirmation(won: Sequence[float], base: Sequence[float] | None, maximize: bool = True) -> Confirmation:
    """Of one contender."""
    other = Sample("shell-baseline", {f"b{place}": value for place, value in enumerate(base)}) if base else None
    values = {f"w{place}": value for place, value in enumerate(won)}
    alone = "" if base else "there is no base config"
    contenders = (Contender("shell-0001", 0.4, won[0]),)
    return Confirmation("mAP", maximize, contenders, Sample("shell-0001", values), other, alone)


@pytest.mark.parametrize(
    ("found", "said", "verdict"),
    [
        (confirmation(GOOD, BASE), "better by 0.040 (0.023 to 0.057)", Verdict.BETTER),
        (confirmation(BASE, GOOD, maximize=False), "better by 0.040 (0.023 to 0.057)", Verdict.BETTER),
        (confirmation(BASE, GOOD), "worse by 0.040 (0.023 to 0.057)", Verdict.WORSE),
        (
            confirmation([0.35, 0.32, 0.34], [0.33, 0.30, 0.32]),
            "not distinguishable from the base config (−0.007 to 0.047); a gain of 0.045 would have been seen 9 times "
            "in 10; 7 more repeats would show 0.022",
            Verdict.NOT_DISTINGUISHABLE,
        ),
        (
            confirmation([0.3] * 3, [0.3] * 3),
            "not distinguishable from the base config (0.00 to 0.00)",
            Verdict.NOT_DISTINGUISHABLE,
        ),
        (
            confirmation(GOOD, None),
            "0.350 (0.333 to 0.367)",
            Verdict.NOT_COMPARED,
        ),
    ],
)
def test_sentence(found: Confirmation, said: str, verdict: Verdict) -> None:
    assert sentence(found) == said
    assert found.verdict is verdict


def test_the_first_of_several_contenders_counts_less() -> None:
    found = confirmation(GOOD, BASE)
    several = replace(found, contenders=(*found.contenders, Contender("shell-0002", 0.39, 0.3)))
    assert several.gain.value == pytest.approx(0.0395, abs=1e-3)
    assert several.gain.error > found.gain.error
    assert "the first, which helped to choose it, counting 0.25" in " ".join(details(_run(several)))


def _run(found: Confirmation | None) -> Run:
    return Run(MAXIMIZE, (), None, RunCondition.SUCCEEDED, "over", "2026-01-01T00:00:00Z", confirmation=found)


def test_answer() -> None:
    found = replace(confirmation(GOOD, BASE), split="test", images=Images(-0.01, 0.06, 200, 50), look=2)
    run = _run(found)
    assert answer(run) == "confirmed: by mAP on the test split shell-0001 is better by 0.040 (0.023 to 0.057)"
    said = list(details(run))
    assert said[0].startswith("mAP on the test split: 0.35 of 3 fresh trainings (0.35, 0.36, 0.34) against 0.31 of 3")
    assert said[1] == "what other images of the kind would move: −0.01 to 0.06 (200 images in 50 groups)"
    assert said[2].startswith("look 2 at the test split")
    assert answer(_run(None)).startswith("not confirmed: ")


@pytest.mark.parametrize("option", ["", "--seed=1"])
def test_what_no_seed_can_be_told_is_not_confirmed_by_a_command(option: str) -> None:
    command = ["python", "train.py", "--x=${trialParameters.x}", *([option] if option else [])]
    raw = shell_experiment()
    container(raw)["command"] = command
    run = replace(_run(None), experiment=parse_experiment(raw, {}), folder=Path("my run"))
    said = "boxtune confirm 'my run' trains it again with other seeds"
    assert (said in answer(run)) == bool(option)
    assert said not in answer(replace(run, recorded=True))


def test_the_base_config_itself_won() -> None:
    found = replace(confirmation(GOOD, None), winner_is_base=True, alone="nothing won over the base config")
    assert answer(_run(found)) == (
        "trained again: nothing won over the base config, whose mAP on the validation split is 0.350 (0.333 to 0.367)"
    )


def test_the_config_is_that_of_the_winner(tmp_path: Path) -> None:
    """Which need not be the search's best."""
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        for name in (TRIAL_FILE, CONFIG_FILE):
            (tmp_path / str(number) / name).touch()
    trials = [
        replace(trial(f"000{number}", Condition.SUCCEEDED, value=f"0.{number}"), folder=tmp_path / str(number))
        for number in (1, 2)
    ]
    searched = run_of(*trials, condition=RunCondition.SUCCEEDED)
    assert f"its pipeline.config: {tmp_path / '2' / CONFIG_FILE}" in verdict(searched)
    confirmed = replace(searched, confirmation=confirmation(GOOD, BASE))  # of the first
    assert f"its pipeline.config: {tmp_path / '1' / CONFIG_FILE}" in verdict(confirmed)
