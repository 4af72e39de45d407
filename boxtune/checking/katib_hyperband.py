"""Checking's knowledge of Katib's hyperband service: what it refuses, fails on and never comes to, though it runs here.

Source: `pkg/suggestion/v1beta1/hyperband/service.py` of Katib v0.19, and `SyncAssignments` of its controller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from boxtune.checking.katib_services import SERVICE_REFUSES
from boxtune.experiment.experiment import Experiment
from boxtune.problems import Problem, warning
from boxtune.search.algorithms.hyperband import ETA, MOST, needs_parallel

NAME = "hyperband"
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")


def hyperband_problems(experiment: Experiment) -> Iterator[Problem]:
    """What a local run does and Katib does not; the settings are right."""
    if experiment.algorithm != NAME:
        return
    parallel = experiment.counts.parallel
    wanted = needs_parallel(float(experiment.settings[MOST]), float(experiment.settings.get(ETA, 3)))
    if parallel < wanted:
        what = f"{parallel} trials at a time, but {NAME}'s service wants {wanted}, a whole first rung"
        yield warning("spec.parallelTrialCount", what, f"write {wanted}; boxtune run takes any", SERVICE_REFUSES)
    for number, (spec, given) in enumerate(
        zip(experiment.parameters, experiment.raw["spec"]["parameters"], strict=True)
    ):
        if given["parameterType"] != "discrete":
            continue
        wrong = next((text for text in spec.values if not _WHOLE.fullmatch(text)), None)
        if wrong is not None:
            what = f'"{wrong}" of {spec.name} is no whole number for {NAME}\'s service'
            path = f"spec.parameters.{number}.feasibleSpace.list"
            yield warning(path, what, "make it categorical", "accepted; then no suggestion ever comes")
    most = experiment.counts.most
    if wanted > 1 and (most is None or most > parallel + 1):  # one more is all that it can answer
        yield warning(
            "spec.algorithm.algorithmName",
            f"{NAME} comes to its first rung only: for the next its service has fewer trials than Katib asks for",
            "use boxtune run, which goes through all of them, or another algorithm",
            "the trials of the first rung run, and then no suggestion ever comes",
        )
