"""Asynchronous successive halving by promotion, Boxtune's own: Katib has no such algorithm."""

from __future__ import annotations

import math

from boxtune.search.algorithm import Algorithm, Teaches
from boxtune.search.asha import AshaPolicy
from boxtune.search.policy import Policy, SearchProblem
from boxtune.search.rungs import read_shares
from boxtune.search.settings import RANDOM_STATE, SEED, Setting

_ETA, _RUNGS, _RANDOM = "eta", "rungs", "random_share"
_LEAST_ETA = 2


def _is_shares(text: str) -> bool:
    try:
        read_shares(text)
    except ValueError:
        return False
    return True


def _policy(problem: SearchProblem) -> Policy:
    given = problem.settings
    shares = read_shares(str(given.get(_RUNGS, "1/9,1/3,1")))
    return AshaPolicy(problem, shares, float(given.get(_ETA, 3)), float(given.get(_RANDOM, 0.2)))


ALGORITHM = Algorithm(
    {
        _ETA: Setting(float, lambda value: _LEAST_ETA <= value < math.inf, "a number of at least 2"),
        _RUNGS: Setting(str, _is_shares, "shares of the whole training that increase to 1, such as 1/9,1/3,1"),
        _RANDOM: Setting(float, lambda value: 0 <= value <= 1, "a share from 0 to 1"),
        SEED: RANDOM_STATE,
    },
    _policy,
    teaches=Teaches.RUNGS,
)
