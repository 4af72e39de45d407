"""Problems: one sentence, from its parts."""

from __future__ import annotations

import pytest

from boxtune.problems import error, errors_of, note, warning, with_article


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Job", "a Job"),
        ("Ingress", "an Ingress"),
        ("MPIJob", "an MPIJob"),
        ("RayJob", "a RayJob"),
        ("XGBoostJob", "an XGBoostJob"),
        ("UserJob", "a UserJob"),
    ],
)
def test_a_kind_has_its_article(kind: str, said: str) -> None:
    assert with_article(kind) == said


def test_a_problem_says_where_what_what_would_be_right_and_what_katib_does() -> None:
    whole = error("spec.maxTrialCount", "0 must be above 0", "write 12", "the webhook refuses it")
    assert str(whole) == "error: spec.maxTrialCount: 0 must be above 0; write 12 (on Katib: the webhook refuses it)"
    assert (whole.text, whole.line) == ("0 must be above 0; write 12", 0)


def test_what_goes_without_saying_is_left_out() -> None:
    assert str(warning("", "nothing is searched")) == "warning: nothing is searched"
    assert str(note("spec", "not looked at")) == "note: spec: not looked at"


def test_only_errors_cannot_work() -> None:
    found = [note("a", "1"), error("b", "2"), warning("c", "3")]
    assert errors_of(found) == [found[1]]
