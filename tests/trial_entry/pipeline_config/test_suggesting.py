"""What is suggested fits: each value alone, and each with every value of what is searched beside it."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import pytest

from tests.configs.zoo import ZOO
from tests.conftest import CONFIGS, EXPERIMENTS
from trial_entry.contract.arguments import Assignment
from trial_entry.finding import errors_of
from trial_entry.pipeline_config.aliases import current_value
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.listing import Assignable, assignable_aliases
from trial_entry.pipeline_config.suggesting import fitting
from trial_entry.pipeline_config.values import same_value

FAULTS = Path(__file__).parents[2] / "faults" / "configs"
FILES = [FAULTS / "small.config", *FAULTS.glob("11-*/*.config"), *FAULTS.glob("05-*/manual-[rz]*.config")]
FILES += [*CONFIGS.glob("*.config"), *EXPERIMENTS.rglob("pipeline.config")]
BASES = [BaseConfig.parse(text, name) for name, text in ZOO.items()] + [BaseConfig.read(file) for file in FILES]
STRUCTURE = ("feature_extractor", "optimizer", "image_size")


@pytest.fixture(params=BASES, ids=[Path(base.where).stem for base in BASES])
def base(request: pytest.FixtureRequest) -> BaseConfig:
    found: BaseConfig = request.param
    return found


def suggested(base: BaseConfig) -> list[Assignable]:
    return [each for each in fitting(base.config, assignable_aliases(base.config)) if each.feasible is not None]


def ends(found: Assignable) -> tuple[str, ...]:
    assert found.feasible is not None
    return found.feasible.values or (found.feasible.low, found.feasible.high)


def errors(base: BaseConfig, *assignments: tuple[str, str]) -> set[tuple[str, str]]:
    found = errors_of(base.findings([Assignment(*each) for each in assignments]))
    return {(each.feature, each.what) for each in found}


def test_each_value_renders_and_has_no_error_that_the_config_has_not(base: BaseConfig) -> None:
    before = errors(base)
    for each in suggested(base):
        for value in ends(each):
            assert errors(base, (each.name, value)) <= before, (each.name, value)


def test_each_value_fits_the_others(base: BaseConfig) -> None:
    before, found = errors(base), [each for each in suggested(base) if each.current != "off"]
    for one, other in combinations(found, 2):
        if one.name in STRUCTURE or other.name in STRUCTURE:
            for value, beside in product(ends(one), ends(other)):
                pair = (one.name, value), (other.name, beside)
                assert errors(base, *pair) <= before, pair


def test_the_value_now_is_among_them(base: BaseConfig) -> None:
    for each in suggested(base):
        now = current_value(base.config, each.name)
        assert each.feasible is not None
        if now is None:
            continue
        if each.feasible.values:
            assert any(same_value(value, now) for value in each.feasible.values), each
        elif float(now) > 0 or not each.feasible.log:
            assert float(each.feasible.low) <= float(now) <= float(each.feasible.high), each


def test_an_optimizer_without_a_momentum_is_not_searched_beside_one() -> None:
    base = BaseConfig.read(FAULTS / "11-suggested-values" / "momentum.config")
    listed = {each.name: each for each in assignable_aliases(base.config)}
    alone, together = listed["optimizer"], (listed["optimizer"], listed["momentum"])
    assert [ends(each) for each in fitting(base.config, [alone])] == [("momentum", "adam", "rms_prop")]
    assert ends(fitting(base.config, together)[0]) == ("momentum", "rms_prop")


def test_a_size_of_zero_has_no_others_to_try() -> None:
    base = BaseConfig.read(FAULTS / "small.config")
    base.config.model.ssd.image_resizer.fixed_shape_resizer.height = 0
    assert "image_size" not in {each.name for each in suggested(base) if each.feasible and ends(each) != ("", "")}


def test_extractors_are_suggested_where_something_is_left_to_choose() -> None:
    small = {each.name: each for each in suggested(BaseConfig.read(FAULTS / "small.config"))}
    assert len(ends(small["feature_extractor"])) >= 3
    assert "96" in ends(small["image_size"])
