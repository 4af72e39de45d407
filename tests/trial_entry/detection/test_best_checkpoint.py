"""The checkpoint under best/ is the best by the objective, also after going on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forks import Run
from tests.trials import rows, train_arguments


def kept(model_dir: Path) -> int:
    (index,) = (model_dir / "best").glob("*.index")
    assert f'"{index.stem}"' in (model_dir / "best" / "checkpoint").read_text()
    return int(index.stem.removeprefix("ckpt-"))


@pytest.mark.parametrize("arguments", [["--objective_type=maximize"], pytest.param([], marks=pytest.mark.e2e)])
def test_it_follows_the_metric_and_its_direction(data: Path, tmp_path: Path, forked: Run, arguments: list[str]) -> None:
    model_dir = tmp_path / "model"
    arguments = ["--objective_metric=total_loss", *arguments, "--eval_every_n=1", "--seed=1"]
    choose = max if "--objective_type=maximize" in arguments else min
    for steps in (3, 5):  # the second goes on
        ended = forked(*train_arguments(data / "pipeline.config", model_dir, *arguments, f"--num_train_steps={steps}"))
        assert ended.code == 0, ended.err
        losses = {row["step"]: row["metrics"]["total_loss"] for row in rows(model_dir)}
        assert len(losses) == steps
        assert kept(model_dir) == choose(losses, key=lambda step: losses[step])


def test_of_equal_ones_the_earlier_stays(data: Path, tmp_path: Path, forked: Run) -> None:
    model_dir = tmp_path / "model"
    arguments = ["--objective_metric=diverged", "--eval_every_n=2", "--num_train_steps=4"]
    ended = forked(*train_arguments(data / "pipeline.config", model_dir, *arguments))
    assert ended.code == 0, ended.err
    assert [row["metrics"]["diverged"] for row in rows(model_dir)] == [0, 0]
    assert kept(model_dir) == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("total-loss", 'the nearest is "total_loss"'),
        ("mAP_class_nine", "no class of the label map is it; the nearest"),
    ],
)
def test_a_metric_that_is_none_is_a_wrong_request(
    data: Path, tmp_path: Path, forked: Run, name: str, says: str
) -> None:
    ended = forked(*train_arguments(data / "pipeline.config", tmp_path / "model", f"--objective_metric={name}"))
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.reason
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "model").exists()
