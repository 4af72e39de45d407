"""What is said of commands by the shell line that Katib's webhook makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boxtune.checking.check import CheckOptions, check
from boxtune.problems import Problem
from tests.experiments import container, shell_experiment, write

P = "${trialParameters.x}"
FILE = {"collector": {"kind": "File"}}


def found(tmp_path: Path, command: list[str], **spec: Any) -> list[Problem]:
    experiment = shell_experiment("true", **spec)
    container(experiment)["command"] = command
    container(experiment)["env"] = [{"name": "LR", "value": P}]
    path = write(tmp_path / "experiment.yaml", experiment)
    return [each for each in check(path, CheckOptions()) if ".containers.0." in each.path or "list" in each.path]


RIGHT = [
    ["python", "train.py", f"--lr={P}"],
    ["python", "train.py", f"--lr {P}"],
    ["python", "train.py", f"--lr='{P}'"],
    ["python", "train.py", f'--lr="{P}"'],
    ["python", "train.py", "--lr=$LR"],
    ["python", "train.py", "--lr=$(LR)", "--name=$(KATIB_TRIAL_NAME)", "--host=$(hostname)"],
    ["python", "train.py", "--pattern=*.jpg", "--layers=[64,32]", "--home=~/x", "--message='a b'"],
    ["cd", "/app", "&&", "python", "train.py", P],
    ["python", "train.py", P, "|", "tee", "log.txt"],
    ["python", "train.py", P, ">", "log.txt;", "cat", "log.txt"],
    ["python", "-c", f"'print({P})'"],
    ["/bin/bash", "-c", f"'python train.py --lr={P}; echo end'"],
    ["/bin/bash", "-c", "./train.sh"],
    ["bash", "-c", f"set -e; cd /app; python train.py --lr={P}"],
    ["sh", "-c", f"{{ python train.py --lr={P}\necho end\n}}"],
    ["sh", "-c", f"for i in 1 2; do python train.py --lr={P}; done"],
    ["sh", "-c", f"train() {{ python train.py --lr={P}; }}; train"],
    ["sh", "-c", f"( python train.py --lr={P}; echo end )"],
    ["sh", "-c", f"echo score={P}"],
    ["sh", "-c", "python", "train.py", P],
    ["sh", "-c", "# a comment\npython train.py --lr=$LR"],
    ["sh", "-c", f"source env.sh && python train.py {P}"],
    ["sh", "-c", f"{{ cd /app || exit 1; python train.py {P}; }}"],
    ["sh", "-c", f"{{ cd /app || {{ echo no; exit 1; }}; python train.py {P}; }}"],
    ["sh", "-c", f"( python train.py {P}; exit 0 )"],
    ["sh", "-c", f"{{ if [ -f done ]; then exit 1; fi; python train.py {P}; }}"],
    ["sh", "-c", f"{{ {{ test -f done && exit 1; }}; python train.py {P}; }}"],
    ["sh", "-c", f"exec 3>log; python train.py {P}"],
    ["sh", "-c", f"ends() {{ exit 0; }}; python train.py {P}"],
]


@pytest.mark.parametrize("command", RIGHT, ids=map(str, range(len(RIGHT))))
def test_right_commands(tmp_path: Path, command: list[str]) -> None:
    assert [str(each) for each in found(tmp_path, command)] == []


WRONG = [
    (["sh"], "sh alone, without a script"),
    (["sh", "-c"], "sh -c without a script"),
    (["bash", "-ec", f"python train.py {P}"], 'bash -ec gets "python" alone'),
    (["sh", "-xc", f"python train.py {P}"], 'sh -xc gets "python" alone'),
    (["/bin/sh", "-c", f"for i in 1; do a {P}; done"], '/bin/sh -c gets "for" alone'),
    (["env", "A=1", "bash", "-lc", f"a {P}"], 'bash -lc gets "a" alone'),
    (["python3", "-c", f"import train; train.main({P})"], 'python3 -c gets "import" alone'),
    (["sh", "-c", f"python train.py {P}\n"], "ends in a line break"),
    (["sh", "-c", f"python train.py {P};"], "ends in ;"),
    (["sh", "-c", f"{{ cd /app; python train.py {P}; exit 0; }}"], "exit ends the shell"),
    (["sh", "-c", f"{{ python train.py {P}\nexit $?\n}}"], "exit ends the shell"),
    (["sh", "-c", f"{{ {{ python train.py {P} && exit 0; }}; }}"], "exit ends the shell"),
    (["sh", "-c", f"python train.py {P}; exit"], "exit ends the shell"),
    (["sh", "-c", f"{{ cd /app; LR=1 exec python train.py {P}; }}"], "exec puts the program in the shell's place"),
    (["sh", "-c", f"python train.py {P} &"], "ends in &"),
    (["python", "train.py", P, "&&"], "ends in &&"),
    (["sh", "-c", f"python train.py {P} # the best"], "ends in the comment # the best"),
    (["python", "train.py", P, "\\"], "ends in a backslash"),
    (["sh", "-c", f"python - <<EOF\nprint({P})\nEOF"], "the here-document's last line is not alone"),
    (["sh", "-c", f"python train.py {P} && echo done"], '"echo done" prints no metric'),
    (["sh", "-c", f"python train.py {P} || exit 1"], '"exit 1" prints no metric'),
    (["sh", "-c", f"exec python train.py {P}"], "leave exec out"),
    (["sh", "-c", "python train.py --lr=$0", P], "$0 is empty"),
    (["python", "train.py", f"--config={{'lr': {P}}}"], "splits it at its blanks"),
    (["python", "train.py", f'--config={{"lr":{P}}}'], "takes its quotes away: the trial gets --config={lr:0.3127}"),
    (["python", "train.py", f"--who=a b {P}"], "splits it at its blanks: the trial gets --who=a and b"),
    (["python", "train.py", f"--url=http://a?b=1&c={P}"], "the shell reads its &"),
    (["python", "train.py", f"--pattern=\\d+{P}"], "takes its backslashes away"),
    (["python", "train.py", f"--lr=f({P})"], "the shell reads its ("),
    (["python", "train.py", f"it's {P}"], "cannot read"),
    (["python", "train.py", "--lr=$(RATE)", P], "the container's env has no RATE"),
    (["python", "train.py", P, "x" * 140_000], "argument list too long"),
]


@pytest.mark.parametrize(("command", "says"), WRONG, ids=map(str, range(len(WRONG))))
def test_wrong_commands(tmp_path: Path, command: list[str], says: str) -> None:
    (problem,) = found(tmp_path, command)
    assert problem.severity == "error"
    assert says in str(problem)


def test_other_collectors(tmp_path: Path) -> None:
    """File wraps without a redirection, Push and None do not wrap."""
    block = ["sh", "-c", f"python train.py {P}\n"]
    (problem,) = found(tmp_path, block, metricsCollectorSpec=FILE)
    assert "ends in a line break, behind which && echo completed > … is no command" in problem.what
    assert found(tmp_path, ["sh", "-c", f"python train.py {P}; echo end"], metricsCollectorSpec=FILE) == []
    assert found(tmp_path, block, metricsCollectorSpec={"collector": {"kind": "Push"}}) == []


def test_two_programs_with_one_that_is_told_nothing(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, ["sh", "-c", f"python train.py {P}; python report.py"])
    assert problem.severity == "warning"
    assert "only the last command's output goes to where the collector reads" in problem.what


@pytest.mark.parametrize(
    ("value", "command", "wrong"),
    [
        ("64 32", ["train", P], True),
        ("64 32", ["train", f"'{P}'"], False),
        ("64 32", ["sh", "-c", f'train "{P}"'], False),
        ("64 32", ["train", "--layers=$(LR)"], True),
        ("64 32", ["train", '--layers="$LR"'], False),
        ("it's", ["train", f"'{P}'"], True),
        ("$HOME", ["train", f'"{P}"'], True),
        ("$HOME", ["train", f"'{P}'"], False),
        ("a;b", ["train", P], True),
        ("", ["train", f"--x={P}"], False),
    ],
)
def test_listed_values(tmp_path: Path, value: str, command: list[str], wrong: bool) -> None:
    parameters = [{"name": "x", "parameterType": "categorical", "feasibleSpace": {"list": ["plain", value]}}]
    says = [str(each) for each in found(tmp_path, command, parameters=parameters)]
    assert bool(says) == wrong, says
    assert all("has characters that a shell reads" in each and ".list.1" in each for each in says)


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "a\tb"])
def test_values_that_break_the_template_s_json(tmp_path: Path, value: str) -> None:
    parameters = [{"name": "x", "parameterType": "categorical", "feasibleSpace": {"list": ["plain", value]}}]
    (problem,) = found(tmp_path, ["train", f"'{P}'"], parameters=parameters)
    assert "no trial is ever created" in problem.on_katib


HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "| touch pwned",
    "<<EOF\n$(touch pwned)\nEOF\n",
    ">pwned",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_an_experiment_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    parameters = [{"name": "x", "parameterType": "categorical", "feasibleSpace": {"list": ["plain", text]}}]
    for command in (
        ["train", text, P],
        ["sh", "-c", f"train {P} {text}"],
        ["bash", "-c", f"a=({text}) {P}"],
        [text, P],
    ):
        found(tmp_path, command)
        found(tmp_path, command, parameters=parameters)
    assert [each.name for each in tmp_path.iterdir()] == ["experiment.yaml"]


def test_options_for_trial_entrys_trials_are_said_to_be_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "experiment.yaml", shell_experiment())
    (ignored,) = [each for each in check(path, CheckOptions(config=path, build=True)) if "--config" in each.what]
    assert ignored.severity == "note"
    assert ignored.what.startswith("--config and --build: ignored")
