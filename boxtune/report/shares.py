"""Shares of the variation: what parameters explain, each and two together, with intervals; in words too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LEVEL = 0.9  # of the intervals


@dataclass(frozen=True)
class Share:
    """What a parameter explains, or two of them together beyond what each does alone.

    Attributes:
        names: of one parameter, or of two; none for what is left to chance.
        value: the share of the whole variation, as far as the trials tell.
        low, high: its 90 % interval.
    """

    names: tuple[str, ...]
    value: float
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether the trials tell it from chance."""
        return self.low > 0

    def __str__(self) -> str:
        return f"{' x '.join(self.names)} {self.value:.0%} ({self.low:.0%} to {self.high:.0%})"


@dataclass(frozen=True)
class Importance:
    """What a run's trials tell of its parameters.

    Attributes:
        trials: how many trials told it.
        parameters: the most important first.
        pairs: the strongest interactions: those that are told from chance, and a few more.
        rest: what neither explains: chance, such as the seed, and what three parameters and more do together.
        ranked: whether trials of several rungs were compared by their ranks, and not by the objective.
    """

    trials: int
    parameters: tuple[Share, ...]
    pairs: tuple[Share, ...]
    rest: Share
    ranked: bool = False

    @property
    def is_told(self) -> bool:
        """Whether they tell of any parameter that it matters."""
        return any(each.is_told for each in (*self.parameters, *self.pairs))


def importance_lines(found: Importance) -> Iterator[str]:
    """What it says, and what it does not, a sentence each."""
    together = {name for each in found.pairs if each.is_told for name in each.names}  # what matters with another
    untold = [each.names[0] for each in found.parameters if not each.is_told and each.names[0] not in together]
    if not found.is_told:
        most = max(found.parameters, key=lambda each: each.high)
        yield (
            f"{found.trials} trials do not tell which parameters matter: what each explains may be nothing, or as much "
            f"as {most.high:.0%} ({most.names[0]})"
        )
    elif untold:
        yield f"cannot be told from chance with {found.trials} trials: {', '.join(untold)}"
    if found.is_told and any(not each.is_told for each in found.pairs):
        told = [" x ".join(each.names) for each in found.pairs if each.is_told]
        only = f"but that of {' and '.join(told)}, " if told else ""
        yield f"no interaction of two parameters, {only}can be told from chance"
    rest = found.rest
    yield (
        f"{rest.value:.0%} ({rest.low:.0%} to {rest.high:.0%}) is explained by no parameter and no two: the seed's "
        "chance, and what three and more do together"
    )
