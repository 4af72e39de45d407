"""`boxtune confirm`: which trainings it adds, what it says of them, that it goes on, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.delivery.history import history
from boxtune.delivery.measured_images import RepeatMeasurements
from boxtune.delivery.measured_split import Split
from boxtune.errors import EXIT_INTERRUPTED
from boxtune.execution.jobs import EndedJob, Job
from boxtune.experiment.loading import load_experiment
from boxtune.local.options import RunOptions
from boxtune.local.reading import open_run
from boxtune.local.recording import record_run
from boxtune.local.repeats import Repeater
from boxtune.local.store import RunStore
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Role, Trial
from boxtune.search.repeating import Repeat, plan
from tests.boxtune.test_quick_start import command, quick_start
from tests.conftest import QUICK_START
from tests.experiments import BOXTUNE, boxtune, container, details, run, shell_experiment, status, write
from tests.pages import Page
from trial_entry.contract.files import CONFIG_FILE
from trial_entry.contract.records import EvaluationRecord
from trial_entry.contract.requests import PROGRAM, EvaluateRequest, parse
from trial_entry.model_dir import write_json

# What is measured is x and up to a hundredth by the seed.
SEEDED = 'set -- --seed 7; {before}echo score=$(awk "BEGIN {{ print $X + $2 % 10 / 1000 }}")'


ONE: dict[str, Any] = {"maxTrialCount": 1, "maxFailedTrialCount": 1, "parallelTrialCount": 1}


def searched(tmp_path: Path, before: str = "", **spec: Any) -> Path:
    """A finished search of four trials."""
    ended = run(tmp_path, shell_experiment(SEEDED.format(before=before), **spec))
    assert ended.code == 0, ended.err
    return tmp_path / "run"


def repeats(folder: Path) -> list[str]:
    """Their names without the Experiment's."""
    return [trial.name.removeprefix("shell-") for trial in open_run(folder).repeats]


def test_the_best_three_then_the_winner(tmp_path: Path) -> None:
    folder = searched(tmp_path)
    trials = details(tmp_path)
    best = sorted(trials, key=lambda name: -float(trials[name]["observation"]["metrics"][0]["latest"]))
    assert "not confirmed" in boxtune("show", folder).out
    ended = boxtune("confirm", folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert f"shell-{best[0]} has score on the validation split 0." in ended.out
    assert "compared with nothing: the trials are not python -m trial_entry" in ended.out
    made = [f"{name}-repeat-1" for name in best[:3]] + [f"{best[0]}-repeat-{number}" for number in (2, 3)]
    assert sorted(repeats(folder)) == sorted(made)

    found = status(tmp_path)
    assert details(tmp_path) == trials, "repeats are no trials"
    assert found["trials"] == 4
    assert {each["role"] for each in found["repeats"]} == {"repeat"}
    assert len({each["seed"] for each in found["repeats"]}) == 5
    confirmed = found["confirmation"]
    assert (confirmed["verdict"], confirmed["split"]) == ("not compared", "validation")
    values = [each["value"] for each in confirmed["winner"]["repeats"]]
    assert len(set(values)) > 1, "another seed, another value"
    assert confirmed["gain"]["low"] < min(values) <= max(values) < confirmed["gain"]["high"] + 0.01

    assert boxtune("confirm", folder).out.splitlines()[-3:] == ended.out.splitlines()[-3:], "nothing is missing"
    assert sorted(repeats(folder)) == sorted(made)
    assert boxtune("confirm", folder, "--repeats", "4").code == 0
    assert sorted(repeats(folder)) == sorted([*made, f"{best[0]}-repeat-4"])
    page = boxtune("report", folder)
    assert page.code == 0, page.err
    assert "Trained again: " in Page((folder / "report.html").read_text()).text


def test_run_confirm_does_both_and_goes_straight_on(tmp_path: Path) -> None:
    experiment = shell_experiment(
        SEEDED.format(before=""), objective={"type": "minimize", "objectiveMetricName": "score"}
    )
    first = run(tmp_path, experiment, "--confirm")
    assert first.code == 0, first.err
    worst_first = sorted(details(tmp_path).values(), key=lambda each: float(each["parameterAssignments"][0]["value"]))
    assert status(tmp_path)["confirmation"]["winner"]["trialName"] == worst_first[0]["name"]
    made = repeats(tmp_path / "run")
    again = run(tmp_path, experiment, "--confirm")
    assert again.code == 0, again.err
    assert repeats(tmp_path / "run") == made
    more = run(tmp_path, {**experiment, "spec": {**experiment["spec"], "maxTrialCount": 6}})
    assert more.code == 0, more.err
    assert "2 trials of the search ended after this; confirm again to take them in" in more.out
    assert status(tmp_path)["trials"] == 6


def test_a_confirmation_that_was_killed_goes_on(tmp_path: Path) -> None:
    folder = searched(tmp_path, "[ $2 = 7 ] || sleep 2; ")
    runner = subprocess.Popen([*BOXTUNE, "confirm", str(folder)], cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(trial.condition is Condition.RUNNING for trial in open_run(folder).repeats):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    while any(trial.condition is Condition.RUNNING for trial in open_run(folder).repeats):  # its trials die with it
        assert time.monotonic() < deadline
        time.sleep(0.1)
    begun = [(trial.name, trial.seed) for trial in open_run(folder).repeats]
    assert "repeats have ended" in boxtune("show", folder).out
    ended = boxtune("confirm", folder)
    assert ended.code == 0, ended.err
    repeated = open_run(folder).repeats
    assert [(trial.name, trial.seed) for trial in repeated][: len(begun)] == begun
    assert len(repeated) == 5


def test_a_signal_leaves_it_resumable(tmp_path: Path) -> None:
    folder = searched(tmp_path, "[ $2 = 7 ] || sleep 30; ")
    runner = subprocess.Popen([*BOXTUNE, "confirm", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not any(trial.condition is Condition.RUNNING for trial in open_run(folder).repeats):
        time.sleep(0.1)
    in_use = boxtune("confirm", folder)
    assert in_use.code == 2
    assert "in use by boxtune run" in in_use.reason
    runner.send_signal(signal.SIGINT)
    _, said = runner.communicate(timeout=60)
    assert runner.returncode == 130
    assert b"the same command goes on" in said


def test_too_few_repeats(tmp_path: Path) -> None:
    """They fail with any other seed until somebody mends what they say; the same command makes others."""
    folder = searched(tmp_path, f"[ $2 = 7 ] || [ -e {tmp_path}/mended ] || {{ echo no luck; exit 1; }}; ")
    ended = boxtune("confirm", folder)
    assert ended.code == 3
    assert "none of the best 3 could be trained again with another seed" in ended.reason
    assert "no luck" in ended.reason
    (tmp_path / "mended").touch()
    again = boxtune("confirm", folder)
    assert again.code == 0, again.err
    assert "failed" in again.out
    assert len(status(tmp_path)["confirmation"]["winner"]["repeats"]) == 3


def test_no_repeat_begins_where_it_may_not_fit(tmp_path: Path) -> None:
    """As large as the search's trials are."""
    folder = searched(tmp_path, **ONE)
    with (folder / "trials" / "shell-0001" / "large").open("wb") as checkpoint:
        checkpoint.truncate(2**42)  # without taking the room
    ended = boxtune("confirm", folder)
    assert ended.code == EXIT_INTERRUPTED
    assert f"the next trial may need {2**43 // 2**20} MiB" in ended.reason
    assert not repeats(folder)


def test_one_that_fails_with_another_seed_is_out(tmp_path: Path) -> None:
    experiment = shell_experiment(SEEDED.format(before="[ $2 = 7 ] || [ ${X%%.*} != 1 ] || exit 1; "))
    experiment["spec"]["parameters"][0]["feasibleSpace"] = {"list": ["0.1", "0.2", "1.5", "0.3"]}
    experiment["spec"]["parameters"][0]["parameterType"] = "discrete"
    experiment["spec"]["algorithm"] = {"algorithmName": "grid"}
    assert run(tmp_path, experiment, "--confirm").code == 0
    found = status(tmp_path)["confirmation"]
    assert "1.5" not in str(found)
    assert "is out: it failed with another seed" in boxtune("show", tmp_path / "run").out


def test_what_cannot_be_confirmed(tmp_path: Path) -> None:
    nothing = boxtune("confirm", tmp_path / "nowhere")
    assert nothing.code == 2
    assert "no run lies here" in nothing.reason
    assert not (tmp_path / "nowhere").exists()

    failed = run(tmp_path, shell_experiment("exit 1; # --seed 1", **ONE))
    assert failed.code == 3
    ended = boxtune("confirm", tmp_path / "run")
    assert ended.code == 2
    assert "no trial has succeeded yet, so there is nothing to confirm" in ended.reason

    (tmp_path / "seedless").mkdir()
    assert run(tmp_path / "seedless", shell_experiment(**ONE)).code == 0
    ended = boxtune("confirm", tmp_path / "seedless" / "run")
    assert ended.code == 2
    assert "no --seed=N to be given another" in ended.reason

    record_run(open_run(tmp_path / "seedless" / "run"), tmp_path / "fetched")
    ended = boxtune("confirm", tmp_path / "fetched")
    assert ended.code == 2
    assert "the record of a search on a cluster" in ended.reason


class Silent:
    """Takes what happens, and shows it to nobody."""

    def notice(self, text: str) -> None: ...
    def changed(self, run: Run) -> None: ...
    def tick(self, run: Run, running: Mapping[str, Path]) -> None: ...


@pytest.mark.parametrize("flag", ["--model_root=/models", "--model_dir=/models/${trialParameters.trial}"])
def test_a_repeat_s_checkpoint_is_found_where_its_command_puts_it(digits: Path, tmp_path: Path, flag: str) -> None:
    """In a folder that trials share, below a name of its own."""
    config_map, raw = yaml.safe_load_all(quick_start(tmp_path).read_text())
    arguments = container(raw)["args"]
    arguments[arguments.index("--model_dir=/model")] = flag
    container(raw)["volumeMounts"].append({"name": "models", "mountPath": "/models"})
    pod = raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "models", "emptyDir": {}})
    if "trial}" in flag:
        raw["spec"]["trialTemplate"]["trialParameters"].append({"name": "trial", "reference": "${trialSpec.Name}"})
    experiment = load_experiment(write(tmp_path / "shared.yaml", config_map, raw))
    shared = tmp_path / "models"
    shared.mkdir()
    volumes = {"data": digits, "models": shared}
    store = RunStore(tmp_path / "run", experiment, {"num_steps": None, "baseline": True}, volumes)
    store.close()
    with Repeater(tmp_path / "run", RunOptions(), Silent()) as repeater:
        assert repeater.base is not None, "volumes are those that the run was begun with"
        [first, *_] = plan(repeater.run, repeater.base, 2).missing
        trial = Trial(first.name, Role.REPEAT, None, first.assignments, first.seed, repeats=first.repeats)
        made = repeater.model_dir(trial)
        assert isinstance(made, Path)
        assert made.parent == shared
        assert made.name.endswith(f"-{first.seed}") if "root" in flag else made.name == first.name


class Evaluating(Repeater):
    """Evaluates nothing, but writes down how often it was asked to."""

    asked = 0

    def execute(self, jobs: Iterable[Job], done: Callable[[EndedJob], None]) -> None:
        for job in jobs:
            self.asked += 1
            request = parse(job.argv[len(PROGRAM) :])
            assert isinstance(request, EvaluateRequest)
            assert isinstance(request.output, Path)
            write_json(request.output, asdict(EvaluationRecord("ckpt-1", 1, "", {"mAP": self.asked / 10})))
            done(EndedJob(job, 0, 1.0))


def test_a_repeat_is_measured_once_on_each_version_of_the_split(digits: Path, tmp_path: Path) -> None:
    experiment = load_experiment(quick_start(tmp_path))
    store = RunStore(tmp_path / "run", experiment, {"num_steps": None, "baseline": True}, {"data": digits})
    store.create_repeat(Repeat("one-repeat-1", {}, "quick-start-baseline", 5))
    store.start("one-repeat-1")
    store.close()
    repeater = Evaluating(tmp_path / "run", RunOptions(), Silent())
    with repeater:
        for digest, asked in [("a" * 64, 1), ("a" * 64, 1), ("b" * 64, 2), ("a" * 64, 2)]:
            measured = RepeatMeasurements(repeater, Split("test", config=QUICK_START / CONFIG_FILE, digest=digest))
            measured.measure(repeater.run.repeats)
            assert repeater.asked == asked
            assert measured.value("one-repeat-1", 0.9) == (0.1 if digest[0] == "a" else 0.2)


@pytest.mark.e2e
def test_a_detector_is_measured_on_the_test_split(digits: Path, tmp_path: Path) -> None:
    """One trial and the base config, twice each: evaluated once on images that no trial reads."""
    file = quick_start(tmp_path, maxTrialCount=1, parallelTrialCount=1)
    searched = boxtune(*command(file, digits, tmp_path / "run", "--num-steps", "2"))
    assert searched.code == 0, searched.err
    ended = boxtune("confirm", tmp_path / "run", "--repeats", "2")
    assert ended.code == 0, ended.err
    found = status(tmp_path)["confirmation"]
    assert found["split"] == "test"
    assert found["base"]["trialName"] == "quick-start-baseline"
    assert (found["images"]["images"], found["look"]) == (12, 1)
    assert found["images"]["low"] <= found["images"]["high"]
    looks = history(str(tmp_path / "run"))
    compared = [each["name"] for side in ("winner", "base") for each in found[side]["repeats"]]
    assert sorted(each.model for each in looks) == sorted(compared)
    assert {each["name"]: each["value"] for side in ("winner", "base") for each in found[side]["repeats"]} == {
        each.model: each.metrics["mAP"] for each in looks
    }
    assert not list((tmp_path / "run").glob("trials/*repeat*/**/*.index")), "checkpoints went when they were measured"

    assert boxtune("confirm", tmp_path / "run", "--repeats", "2").code == 0
    assert len(history(str(tmp_path / "run"))) == 4, "looked at once"
    best = boxtune("best", tmp_path / "run")
    assert best.code == 0
    assert "by mAP on the test split quick-start-0001 is " in best.err
    (digits / "test.record").rename(tmp_path / "elsewhere.record")
    try:
        ended = boxtune("confirm", tmp_path / "run", "--repeats", "3")
    finally:
        (tmp_path / "elsewhere.record").rename(digits / "test.record")
    assert ended.code == 2
    assert "the test split: " in ended.reason
    assert "--split validation measures on that one" in ended.reason
    assert pytest.approx(found["gain"]["value"]) == status(tmp_path)["confirmation"]["gain"]["value"]
