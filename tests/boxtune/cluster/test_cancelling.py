"""Ending an Experiment before its end."""

from __future__ import annotations

import pytest

from boxtune.cluster.cancelling import cancel
from boxtune.cluster.connection import Cluster
from boxtune.cluster.submission import submit
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment
from tests.boxtune.cluster.api import JOBS, KATIB, Api


def test_the_experiment_and_its_baseline_go(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    submit(cluster, quick_start, True, False)
    assert cancel(cluster, "quick-start") == [
        "experiment/quick-start deleted, and its trials",
        "job/quick-start-baseline deleted",
    ]
    assert not [path for path in api.objects if path.startswith((KATIB, JOBS))]


def test_one_that_is_not_there(api: Api, cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"^other: no Experiment in the namespace drones"):
        cancel(cluster, "other")
