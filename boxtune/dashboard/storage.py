"""Dashboard's storage: a run as optuna-dashboard reads it; whatever would change something is refused."""

from __future__ import annotations

import copy
import threading
from collections.abc import Container, Mapping, Sequence
from typing import NoReturn

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy  # what BaseStorage returns; optuna has no public name for it
from optuna.trial import FrozenTrial, TrialState

from boxtune.dashboard.following import Source
from boxtune.dashboard.studies import Study, studies_of, study_of_trial
from boxtune.errors import InputError
from boxtune.experiment.source import Json
from boxtune.runs.curves import Curve, Curves
from boxtune.runs.run import Run

READ_ONLY = "a run is shown here, not changed"
_METRIC_NAMES = "study:metric_names"  # Optuna's, under which the page finds the objective's name


class ReadOnlyError(InputError):
    """Something would change the run."""


class RunStorage(BaseStorage):
    """Answers from the run as it was at the last `refresh`: whole, also while the next one is made."""

    def __init__(self, source: Source) -> None:
        """
        Args:
            source: gives the run as it is now.

        Raises:
            BoxtuneError: as `source`.
        """
        self._source = source
        self._lock = threading.Lock()
        self._curves = Curves()
        self._made_of: tuple[Run, Mapping[str, Curve]] | None = None
        self._studies: Mapping[int, Study] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look at the run again; what it was before stands until the new is whole.

        Raises:
            BoxtuneError: as `source`: what there is cannot be read.
        """
        with self._lock:
            run = self._source()
            curves = self._curves.of(run)
            if self._made_of is None or self._made_of[0] is not run or self._made_of[1] != curves:
                self._studies = studies_of(run, curves)
                self._made_of = run, curves

    # What is read

    def get_study_id_from_name(self, study_name: str) -> int:
        return {study.name: study.number for study in self._studies.values()}[study_name]

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._studies[study_id].name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return [self._studies[study_id].direction]

    def get_study_user_attrs(self, study_id: int) -> dict[str, str]:
        return dict(self._studies[study_id].about)

    def get_study_system_attrs(self, study_id: int) -> dict[str, list[str]]:
        return {_METRIC_NAMES: [self._studies[study_id].metric]}

    def get_all_studies(self) -> list[FrozenStudy]:
        return [
            FrozenStudy(study.name, study.direction, dict(study.about), {_METRIC_NAMES: [study.metric]}, study.number)
            for study in self._studies.values()
        ]

    def get_trial(self, trial_id: int) -> FrozenTrial:
        found = next(
            (each for each in self._studies[study_of_trial(trial_id)].trials if each._trial_id == trial_id), None
        )
        if found is None:
            raise KeyError(trial_id)
        return found

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """Trials are counted from 1 here, as their names are, where Optuna's own storages count from 0."""
        found = next((each for each in self._studies[study_id].trials if each.number == trial_number), None)
        if found is None:
            raise KeyError(trial_number)
        return found._trial_id

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        trials = [each for each in self._studies[study_id].trials if states is None or each.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """The best that was measured; one that was stopped early counts, as it does in Katib."""
        best = self._studies[study_id].best
        if best is None:
            raise ValueError("no trial is measured yet")
        return best

    # What would change something

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        self._refuse()

    def delete_study(self, study_id: int) -> None:
        self._refuse()

    def set_study_user_attr(self, study_id: int, key: str, value: object) -> None:
        self._refuse()

    def set_study_system_attr(self, study_id: int, key: str, value: Json) -> None:
        self._refuse()

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        self._refuse()

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        self._refuse()

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        self._refuse()

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        self._refuse()

    def set_trial_user_attr(self, trial_id: int, key: str, value: object) -> None:
        self._refuse()

    def set_trial_system_attr(self, trial_id: int, key: str, value: Json) -> None:
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise ReadOnlyError(READ_ONLY)
