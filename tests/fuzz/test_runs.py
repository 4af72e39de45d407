"""No journal, trial output, or file that a trial left breaks what shows a run or goes on with it; no trial is lost."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from pathlib import Path

import google_crc32c
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from boxtune.errors import EXIT_DONE, EXIT_FAILED, EXIT_INPUT
from tests.experiments import boxtune, container, shell_experiment, write
from tests.faults.test_configs import CASES
from tests.fuzz.mutations import texts, values
from tests.fuzz.verdicts import verdict
from trial_entry.contract.records import read_rows, read_trial
from trial_entry.errors import TrialError

TRIALS = 3
SLOW = settings(max_examples=max(4, settings().max_examples // 10))  # each starts processes, or draws a page
_ENDED = (EXIT_DONE, EXIT_INPUT, EXIT_FAILED)
_CHECKED = re.compile(rb'^(\{.*),"n":\d+,"crc32c":"[0-9a-f]{8}"\}$', re.DOTALL)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an experiment that only prints, and its finished run."""
    folder = tmp_path_factory.mktemp("run")
    write(folder / "experiment.yaml", shell_experiment(maxTrialCount=TRIALS, parallelTrialCount=1))
    done = boxtune("run", folder / "experiment.yaml", "--out", folder / "run", folder=folder)
    assert done.code == EXIT_DONE, done.err
    return folder


@pytest.fixture(scope="module")
def copy(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run is copied to for each example."""
    return tmp_path_factory.mktemp("changed") / "run"


def renewed(run: Path, copy: Path) -> Path:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run / "run", copy, symlinks=True)
    return copy


def shown(name: str, run: Path) -> None:
    """By everything that reads a run."""
    verdict(name, "show", run)
    verdict(name, "show", run, "--json")
    verdict(name, "best", run)
    verdict(name, "report", run)


@SLOW
@given(draw=st.data())
def test_a_journal_s_bytes(draw: st.DataObject, run: Path, copy: Path) -> None:
    journal = renewed(run, copy) / "journal.jsonl"
    journal.write_bytes(draw.draw(texts(journal.read_bytes())))
    shown("journal's bytes", copy)
    verdict("journal's bytes", "run", run / "experiment.yaml", "--out", copy, codes=_ENDED)


@given(draw=st.data())
def test_a_journal_s_events(draw: st.DataObject, run: Path, copy: Path) -> None:
    """Changed within their checksums, as another version writes them."""
    journal = renewed(run, copy) / "journal.jsonl"
    lines = journal.read_bytes().splitlines()
    number = draw.draw(st.integers(0, len(lines) - 1))
    found = _CHECKED.match(lines[number])
    assert found is not None
    lines[number] = json.dumps(draw.draw(values([json.loads(found[1] + b"}")])), default=str).encode()[1:-1]
    journal.write_bytes(b"".join(checked(line, place) for place, line in enumerate(lines, start=1)))
    shown("journal's events", copy)


def checked(line: bytes, number: int) -> bytes:
    """The line with its number and checksum as they must be."""
    found = _CHECKED.match(line)
    body = (found[1] if found else line.rstrip(b"}") or b"{") + b',"n":%d' % number
    return body + b',"crc32c":"%08x"}\n' % google_crc32c.value(body)


OUTPUT = b"""2026-11-24T10:00:00.123456Z mAP=0.3127
step 10: loss 0.5
score=0.91 recall=0.5
{"score": "0.5", "timestamp": "2026-11-24T10:00:00Z"}
{"score": "0.7", "timestamp": 1700000000}
score = 1e-3
score=nan
"""


@SLOW
@given(
    data=texts(OUTPUT), json_format=st.booleans(), algorithm=st.sampled_from(("random", "tpe", "bayesianoptimization"))
)
def test_a_trial_s_output(
    data: bytes, json_format: bool, algorithm: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever trials print, each is judged, the run ends, and can be looked at."""
    folder = tmp_path_factory.mktemp("printed")
    (folder / "printed").write_bytes(data)
    experiment = shell_experiment(
        f"cat {folder}/printed",
        maxTrialCount=TRIALS,
        maxFailedTrialCount=TRIALS,
        parallelTrialCount=TRIALS,
        algorithm={"algorithmName": algorithm},
    )
    if json_format:
        experiment["spec"]["metricsCollectorSpec"] = {
            "collector": {"kind": "File"},
            "source": {"fileSystemPath": {"path": "/tmp/printed.json", "kind": "File", "format": "JSON"}},
        }
        container(experiment)["command"] = ["sh", "-c", f"cp {folder}/printed /tmp/printed.json"]
    path = write(folder / "experiment.yaml", experiment)
    verdict("trial's output", "run", path, "--out", folder / "run", codes=_ENDED)
    trials = json.loads(verdict("trial's output", "show", folder / "run", "--json").out)["status"]["trials"]
    assert trials == TRIALS
    shown("trial's output", folder / "run")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run of a trial that trains: what it left is whole."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "data").mkdir()
    runpy.run_path(str(CASES / "records.py"))["main"](folder / "data", "usual")
    experiment = yaml.safe_load((CASES / "experiment.yaml").read_text())
    experiment["spec"]["maxTrialCount"] = 1
    config = shutil.copy(CASES / "small.config", folder)
    inside = container(experiment)
    inside["args"] = [text.replace("/config/pipeline.config", str(config)) for text in inside["args"]]
    inside["args"].append("--num_train_steps=2")
    path = write(folder / "experiment.yaml", experiment)
    done = boxtune("run", path, "--out", folder / "run", "--volume", f"data={folder / 'data'}", folder=folder)
    assert done.code == EXIT_DONE, done.err
    return folder


@SLOW
@given(draw=st.data(), name=st.sampled_from(("trial.json", "metrics.json", "pipeline.config")))
def test_what_a_trial_left(draw: st.DataObject, name: str, trained: Path, copy: Path) -> None:
    """Its record, rows and config, as bytes and as values: whoever reads them, and the trial that goes on there."""
    left = next(path for path in renewed(trained, copy).rglob(name) if "best" not in path.parts)
    data = left.read_bytes()
    if name.endswith(".json") and draw.draw(st.booleans()):
        [changed] = draw.draw(values([json.loads(data)])) or [None]
        left.write_text(json.dumps(changed, default=str))
    else:
        left.write_bytes(draw.draw(texts(data)))
    shown("what a trial left", copy)
    for read in (read_trial, read_rows):
        try:
            read(left.parent)
        except TrialError:
            continue


ENVIRONMENT = (
    *(
        "COLUMNS",
        "LINES",
        "TERM",
        "NO_COLOR",
        "TTY_COMPATIBLE",
        "LANG",
        "LC_ALL",
        "PYTHONIOENCODING",
        "HOME",
    ),
    *("BOXTUNE_CACHE", "BOXTUNE_CACHE_GIB", "BOXTUNE_STORAGE_SECONDS", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"),
    *("TF_NUM_INTRAOP_THREADS", "KUBECONFIG", "AWS_ENDPOINT_URL", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS"),
)
_SET = (
    "",
    "0",
    "-1",
    "nan",
    "x" * 5000,
    "/nowhere",
    "/dev/null",
    "/proc",
    "1e400",
    "١",
    "$(x)",
    "a=b",
    "\x1b[31m",
    "C.UTF-8",
)


@SLOW
@given(changed=st.dictionaries(st.sampled_from(ENVIRONMENT), st.sampled_from(_SET), min_size=1, max_size=4))
def test_the_environment(changed: dict[str, str], run: Path, copy: Path) -> None:
    """Of whoever starts a command."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in changed.items():
            patched.setenv(name, value)
        verdict("environment", "check", run / "experiment.yaml")
        shown("environment", renewed(run, copy))
        verdict("environment", "run", run / "experiment.yaml", "--out", copy.parent / "anew", codes=_ENDED)
    shutil.rmtree(copy.parent / "anew", ignore_errors=True)
