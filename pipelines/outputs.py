"""What the pipelines give, by name."""

from typing import NamedTuple

from kfp.dsl import HTML, Model


class Trained(NamedTuple):
    """Of a training alone.

    Attributes:
        evaluation: the page of what was measured.
        model: as the training left it.
        published: the version.
        place: where it was published.
    """

    evaluation: HTML
    model: Model
    published: Model
    place: str


class Tuned(NamedTuple):
    """Of a search, and the training after it.

    Attributes:
        report: the page of the search.
        evaluation, model, published, place: as of `Trained`.
    """

    report: HTML
    evaluation: HTML
    model: Model
    published: Model
    place: str
