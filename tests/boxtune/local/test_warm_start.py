"""What a run is told of earlier ones: which trials, with which values, and how much they count."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.errors import InputError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from boxtune.local.outcome import Outcome
from boxtune.local.recording import record_run
from boxtune.local.store import RunStore
from boxtune.local.template import Template
from boxtune.local.warm_start import prior_runs
from boxtune.runs.prior import PriorRun
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from boxtune.search.policy import Suggestion
from tests.conftest import QUICK_START
from tests.experiments import boxtune_here, container, run, shell_experiment, write
from trial_entry.contract.records import TrialRecord
from trial_entry.records.dataset import data_digests

CONFIG_MAP, QUICK = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
VALUES = {"learning_rate": "0.001", "batch_size": "16", "nms_iou_threshold": "0.6"}
WHOLE = 25  # steps: 40 images, ten passes, 16 a batch
Change = Callable[[dict[str, Any], dict[str, Any]], None]


def experiment(folder: Path, name: str, change: Change | None = None, algorithm: str = "asha") -> Experiment:
    """The quick start's with another algorithm; `change` is given it and its ConfigMap."""
    made, config_map = (yaml.safe_load(yaml.safe_dump(each)) for each in (QUICK, CONFIG_MAP))
    made["spec"]["algorithm"] = {"algorithmName": algorithm}
    if change is not None:
        change(made, config_map)
    return load_experiment(write(folder / f"{name}.yaml", config_map, made))


class Earlier:
    """A run that is written as if its trials had been trained."""

    def __init__(self, folder: Path, searched: Experiment, digits: Path, num_steps: int | None = None) -> None:
        self.folder = folder
        volumes = {"data": digits}
        self.template = Template(searched, volumes, num_steps)
        self.store = RunStore(folder, searched, {"num_steps": num_steps, "baseline": True}, volumes)
        self._number = 0

    def trial(
        self, condition: Condition = Condition.SUCCEEDED, rungs: Mapping[int, float] | None = None, **values: str
    ) -> str:
        """One that measured an mAP of 0.3 at its end, or this much at these rungs."""
        name, assignments = f"quick-start-{self._number + 1:04}", {**VALUES, **values}
        self.store.create(name, Role.SUGGESTED, Suggestion(self._number, assignments))
        self._number += 1
        for steps, value in (rungs or {}).items():
            self._attempt(name, steps, Condition.PAUSED, value)
        if condition is not Condition.PAUSED:
            self._attempt(name, None, condition, 0.3)
        place = self.store.trial_folder(name) / "volumes" / "model"
        place.mkdir(parents=True)
        record = TrialRecord(data_digests=data_digests(self.template.rendered(assignments)))
        (place / "trial.json").write_text(json.dumps(record.to_json()))
        return name

    def _attempt(self, name: str, steps: int | None, condition: Condition, value: float) -> None:
        texts = {"mAP": str(value), "total_loss": "1.5", "recall": "0.5"}
        observation = [Metric(metric, text, text, text) for metric, text in texts.items()]
        self.store.start(name, steps)
        outcome = Outcome(condition, "", 0, () if condition.failed else observation)
        self.store.end(name, outcome, 1.0, 1.0)

    def told(self, searched: Experiment, data: Path, num_steps: int | None = None) -> PriorRun:
        """What a run of `searched` is told of it."""
        template = Template(searched, {"data": data}, num_steps)
        (found,) = prior_runs(self.folder.parent / "new", [self.folder], searched, template)
        return found


@pytest.fixture
def earlier(tmp_path: Path, digits: Path) -> Earlier:
    return Earlier(tmp_path / "old", experiment(tmp_path, "old"), digits)


def parameter(made: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in made["spec"]["parameters"] if each["name"] == name)
    return found


@pytest.mark.parametrize("kind", ["discrete", "int", "step"])
def test_what_was_measured_between_the_points_of_a_grid_is_no_value_of_one(tmp_path: Path, kind: str) -> None:
    """Not of the point that is nearest: its order alone counts."""

    def searched(name: str, **space: Any) -> Experiment:
        parameters = [{"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}, **space}]
        made = shell_experiment("echo score=$X", algorithm={"algorithmName": "tpe"}, parameters=parameters)
        return load_experiment(write(tmp_path / f"{name}.yaml", made))

    before = searched("before")
    store = RunStore(tmp_path / "old", before, {"baseline": False}, {})
    for number, value in enumerate(("0.49", "1.0")):
        metric = Metric("score", value, value, value)
        store.create(f"shell-{number}", Role.SUGGESTED, Suggestion(number, {"x": value}))
        store.start(f"shell-{number}")
        store.end(f"shell-{number}", Outcome(Condition.SUCCEEDED, "", 0, [metric]), 1.0, 1.0)
    spaces: dict[str, dict[str, Any]] = {
        "discrete": {"parameterType": "discrete", "feasibleSpace": {"list": ["0.49", "1"]}},
        "int": {"parameterType": "int", "feasibleSpace": {"min": "0", "max": "1"}},
        "step": {"feasibleSpace": {"min": "0", "max": "1", "step": "0.5"}},
    }
    after = searched(kind, **spaces[kind])
    (told,) = prior_runs(tmp_path / "new", [tmp_path / "old"], after, Template(after, {}))
    between = "of values between those of this space" if kind != "discrete" else "of another trialTemplate"
    assert [each.assignments["x"] for each in told.trials] == {
        "discrete": ["0.49", "1"],
        "int": ["0", "1"],
        "step": ["0.5", "1.0"],
    }[kind]
    assert [each.counts_less == between for each in told.trials] == [kind != "discrete", False]


def test_the_same_search_is_told_every_number(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    earlier.trial(rungs={3: 0.1, 8: 0.2})
    earlier.trial(Condition.PAUSED, {3: 0.05}, learning_rate="0.002")
    told = earlier.told(experiment(tmp_path, "new"), digits)
    assert [each.counts_less for each in told.trials] == ["", ""]
    whole, paused = told.trials
    assert [(round(each.share, 2), each.observation[0].latest) for each in whole.results] == [
        (0.12, "0.1"),
        (0.32, "0.2"),
        (1.0, "0.3"),
    ]
    assert {metric.name for metric in whole.results[0].observation} == {"mAP", "total_loss"}
    assert (paused.end, paused.assignments["learning_rate"]) == (None, "0.002")
    said = f"warm start: 2 of 2 trials of {tmp_path / 'old'}"
    assert told.sentence == f"{said} (which was still running)"
    earlier.store.close()
    assert earlier.told(experiment(tmp_path, "new"), digits).sentence == said


def test_what_says_nothing_is_left_out_and_said(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    earlier.trial()
    earlier.trial(Condition.FAILED)
    earlier.trial(Condition.KILLED)
    earlier.trial(Condition.EARLY_STOPPED)
    earlier.trial(Condition.PAUSED, {3: 0.1})
    earlier.trial(learning_rate="0.02")

    def narrow(made: dict[str, Any], config_map: dict[str, Any]) -> None:
        parameter(made, "learning_rate")["feasibleSpace"]["max"] = "0.01"

    told = earlier.told(experiment(tmp_path, "new", narrow, "tpe"), digits)
    assert len(told.trials) == 1
    assert told.left_out == {
        "failed": 1,
        "killed": 1,
        "stopped early": 1,
        "paused on the way": 1,
        "learning_rate outside this space": 1,
    }
    assert "1 of 6 trials" in told.sentence
    assert "1 left out: paused on the way" in told.sentence
    assert len(earlier.told(experiment(tmp_path, "again", narrow), digits).trials) == 2  # asha knows what a rung says


def test_other_data_count_less(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    earlier.trial()
    other = tmp_path / "data"
    shutil.copytree(digits, other)
    assert earlier.told(experiment(tmp_path, "copied"), other).counted_less == {}
    shutil.copy(other / "test.record", other / "train.record")
    assert earlier.told(experiment(tmp_path, "new"), other).counted_less == {"on other data": 1}


def test_another_base_config_or_another_length_counts_less(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    earlier.trial()
    less = {"of another config than this run would make": 1}

    def changed(made: dict[str, Any], config_map: dict[str, Any]) -> None:
        data = config_map["data"]
        data["pipeline.config"] = data["pipeline.config"].replace("gamma: 1.5", "gamma: 2.0")

    assert earlier.told(experiment(tmp_path, "changed", changed), digits).counted_less == less
    assert earlier.told(experiment(tmp_path, "short"), digits, num_steps=10).counted_less == less


def test_what_was_searched_then_and_stands_in_the_config_now(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    """A batch of 16 is what the config has, so the trial is one of this run's; with 8 it was another training."""
    earlier.trial()
    earlier.trial(batch_size="8")

    def fixed(made: dict[str, Any], config_map: dict[str, Any]) -> None:
        spec = made["spec"]
        spec["parameters"].remove(parameter(made, "batch_size"))
        template = spec["trialTemplate"]
        template["trialParameters"] = [
            each for each in template["trialParameters"] if each["reference"] != "batch_size"
        ]
        arguments = template["trialSpec"]["spec"]["template"]["spec"]["containers"][0]["args"]
        arguments.remove("--set=batch_size=${trialParameters.batchSize}")

    told = earlier.told(experiment(tmp_path, "new", fixed), digits)
    assert [each.counts_less for each in told.trials] == ["", "of another config than this run would make"]
    assert set(told.trials[0].assignments) == {"learning_rate", "nms_iou_threshold"}


def test_what_is_searched_now_and_stood_in_the_config_then(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    earlier.trial()

    def more(made: dict[str, Any], config_map: dict[str, Any]) -> None:
        spec = made["spec"]
        space = {"min": "0.1", "max": "3"}
        spec["parameters"].append({"name": "weight", "parameterType": "double", "feasibleSpace": space})
        template = spec["trialTemplate"]
        template["trialParameters"].append({"name": "weight", "reference": "weight"})
        arguments = template["trialSpec"]["spec"]["template"]["spec"]["containers"][0]["args"]
        arguments.append("--set=localization_loss_weight=${trialParameters.weight}")

    (told,) = earlier.told(experiment(tmp_path, "new", more), digits).trials
    assert float(told.assignments["weight"]) == pytest.approx(0.3)
    assert told.counts_less == ""


def test_a_parameter_is_what_it_sets(earlier: Earlier, tmp_path: Path, digits: Path) -> None:
    """`rate` of this run is the earlier one's `learning_rate`; a `batch_size` that sets the momentum is not its."""
    earlier.trial(learning_rate="0.004")

    def renamed(made: dict[str, Any], config_map: dict[str, Any]) -> None:
        parameter(made, "learning_rate")["name"] = "rate"
        for each in made["spec"]["trialTemplate"]["trialParameters"]:
            each["reference"] = each["reference"].replace("learning_rate", "rate")

    (told,) = earlier.told(experiment(tmp_path, "renamed", renamed), digits).trials
    assert told.assignments["rate"] == "0.004"
    assert told.counts_less == ""

    def other_meaning(made: dict[str, Any], config_map: dict[str, Any]) -> None:
        arguments = made["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]["args"]
        place = arguments.index("--set=batch_size=${trialParameters.batchSize}")
        arguments[place] = "--set=max_detections=${trialParameters.batchSize}"

    with pytest.raises(InputError, match="1 batch_size outside this space"):  # 20, which is none of 8, 16 and 32
        earlier.told(experiment(tmp_path, "other", other_meaning), digits)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made, _: made["spec"]["objective"].update(type="minimize"), "it maximizes mAP, and this run minimizes"),
        (
            lambda made, _: made["spec"]["objective"].update(
                objectiveMetricName="mAP_50", additionalMetricNames=["mAP", "precision", "recall"]
            ),
            "it maximizes mAP, and this run maximizes mAP_50",
        ),
    ],
)
def test_another_objective_is_refused(
    earlier: Earlier, tmp_path: Path, digits: Path, change: Change, said: str
) -> None:
    earlier.trial()
    with pytest.raises(InputError) as refused:
        earlier.told(experiment(tmp_path, "new", change), digits)
    assert said in str(refused.value)
    assert str(earlier.folder) in str(refused.value)


def shell(algorithm: str = "tpe", **spec: Any) -> dict[str, Any]:
    return shell_experiment(algorithm={"algorithmName": algorithm}, parallelTrialCount=1, **spec)


def test_what_cannot_teach_is_refused_in_a_line_and_nothing_is_made(tmp_path: Path) -> None:
    first = write(tmp_path / "first.yaml", shell("random", maxTrialCount=3))
    assert boxtune_here("run", first, "--out", tmp_path / "first").code == 0
    searched, out = write(tmp_path / "new.yaml", shell()), tmp_path / "new"
    damaged = tmp_path / "damaged"
    shutil.copytree(tmp_path / "first", damaged)
    journal = damaged / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"number":1', '"number":7'))
    broken = shell("random", maxTrialCount=1, maxFailedTrialCount=1)
    container(broken)["command"] = ["sh", "-c", "{ exit 1; : ${trialParameters.x}; }"]
    failing = write(tmp_path / "failing.yaml", broken)
    assert boxtune_here("run", failing, "--out", tmp_path / "failing").code == 3
    other = shell("random", maxTrialCount=2)
    other["spec"]["parameters"][0]["name"] = "y"
    other["spec"]["trialTemplate"]["trialParameters"][0]["reference"] = "y"
    write(tmp_path / "y.yaml", other)
    assert boxtune_here("run", tmp_path / "y.yaml", "--out", tmp_path / "y").code == 0
    for source, said in {
        "nothing": "no run lies here",
        "damaged": "its checksum does not match",
        "failing": "no trial of it says anything here (1 failed)",
        "y": "no parameter in common: it searched y, and this run searches x",
        "new": "is the run itself",
    }.items():
        ended = boxtune_here("run", searched, "--out", out, "--warm-start", tmp_path / source)
        assert (ended.code, said in ended.reason, len(ended.err.strip().splitlines())) == (2, True, 1), ended.err
        assert not out.exists()
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    twice = ("--warm-start", tmp_path / "first", "--warm-start", tmp_path / "copy")
    ended = boxtune_here("run", searched, "--out", out, *twice)
    assert (ended.code, out.exists()) == (2, False)
    assert f"{tmp_path / 'copy'}: is the run of {tmp_path / 'first'}, copied; name one of the two" in ended.reason
    for algorithm in ("random", "grid", "sobol"):
        searched = write(tmp_path / "none.yaml", shell(algorithm))
        ended = boxtune_here("run", searched, "--out", out, "--warm-start", tmp_path / "first")
        assert ended.code == 2
        assert f"{algorithm} learns nothing from earlier trials; asha, bayesianoptimization" in ended.reason
        assert not out.exists()


def test_the_journal_keeps_what_was_told(tmp_path: Path) -> None:
    first = write(tmp_path / "first.yaml", shell("random", maxTrialCount=8))
    assert boxtune_here("run", first, "--out", tmp_path / "first").code == 0
    warm = ("--warm-start", str(tmp_path / "first"))
    assert run(tmp_path, shell(maxTrialCount=2), *warm).code == 0
    refused = run(tmp_path, shell(maxTrialCount=4), "--warm-start", str(tmp_path))
    assert (refused.code, f"was begun with {' '.join(warm)}" in refused.reason) == (2, True), refused.err
    assert run(tmp_path, shell(maxTrialCount=3), *warm).code == 0
    shutil.rmtree(tmp_path / "first")  # it is not read again
    assert run(tmp_path, shell(maxTrialCount=4)).code == 0
    assert boxtune_here("run", tmp_path / "run", "--trials", "5", *warm).code == 0
    cut = json.loads(boxtune_here("show", tmp_path / "run", "--json").out)["status"]
    values = [float(each["parameterAssignments"][0]["value"]) for each in cut["trialDetails"]]
    assert cut["trials"] == len(values) == 5  # none of the earlier ones
    assert cut["warmStart"] == [
        {"run": str(tmp_path / "first"), "trials": 8, "trialsUsed": 8, "countLess": {}, "leftOut": {}}
    ]
    said = f"warm start: 8 of 8 trials of {tmp_path / 'first'}"
    assert said in boxtune_here("show", tmp_path / "run").out
    assert boxtune_here("report", tmp_path / "run", "--out", tmp_path / "page.html").code == 0
    assert said[1:] in (tmp_path / "page.html").read_text()

    write(tmp_path / "first.yaml", shell("random", maxTrialCount=8))
    assert boxtune_here("run", tmp_path / "first.yaml", "--out", tmp_path / "first").code == 0
    whole = write(tmp_path / "whole.yaml", shell(maxTrialCount=5))
    assert boxtune_here("run", whole, "--out", tmp_path / "whole", *warm).code == 0
    at_once = json.loads(boxtune_here("show", tmp_path / "whole", "--json").out)["status"]["trialDetails"]
    assert [float(each["parameterAssignments"][0]["value"]) for each in at_once] == values


def test_a_run_begun_without_is_not_told_later(tmp_path: Path) -> None:
    first = write(tmp_path / "first.yaml", shell("random", maxTrialCount=2))
    assert boxtune_here("run", first, "--out", tmp_path / "first").code == 0
    assert run(tmp_path, shell(maxTrialCount=2)).code == 0
    refused = run(tmp_path, shell(maxTrialCount=3), "--warm-start", str(tmp_path / "first"))
    assert refused.code == 2
    assert "was begun without --warm-start" in refused.reason


def test_the_record_of_a_search_on_a_cluster_teaches_too(tmp_path: Path, digits: Path) -> None:
    """Its trials' folders are elsewhere, so nobody can tell what data they saw; the order among them is what counts."""
    searched = experiment(tmp_path, "old")
    attempt = Attempt("2026-11-25T10:00:00Z", "2026-11-25T10:01:00Z", None, 60.0, 0)
    found = {"mAP": Metric("mAP", "0.1", "0.3", "0.3")}
    trial = Trial(
        "quick-start-abcd", Role.SUGGESTED, 0, VALUES, condition=Condition.SUCCEEDED, attempts=(attempt,),
        observation=found,
    )  # fmt: skip
    record_run(Run(searched, (trial,), None, RunCondition.SUCCEEDED, "", attempt.started), tmp_path / "old")
    new = experiment(tmp_path, "new", algorithm="tpe")
    (told,) = prior_runs(tmp_path / "run", [tmp_path / "old"], new, Template(new, {"data": digits}))
    assert told.counted_less == {"what data it trained on cannot be told": 1}
    assert [result.value(new.objective) for result in told.trials[0].results] == [0.3]
