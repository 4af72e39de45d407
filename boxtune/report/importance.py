"""How much of the objective's variation each parameter explains, by fANOVA: a forest fitted to the trials."""

from __future__ import annotations

import warnings

from boxtune.report.plots import measured_trials
from boxtune.runs.run import Run
from boxtune.search.dimensions import dimension

LEAST_TRIALS = 6  # below it a forest says nothing


def parameter_importance(run: Run) -> dict[str, float]:
    """Share of the variation by parameter; empty with too few trials, or where all gave the same.

    Source: Hutter et al., "An Efficient Approach for Assessing Hyperparameter Importance", as Optuna implements it.
    """
    import optuna

    trials = measured_trials(run)
    values = {trial.value(run.experiment.objective) for trial in trials}
    specs = [spec for spec in run.experiment.parameters if len({trial.assignments[spec.name] for trial in trials}) > 1]
    if len(trials) < LEAST_TRIALS or len(values) == 1 or not specs:
        return {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    dimensions = {spec.name: dimension(spec) for spec in specs}
    study = optuna.create_study(direction="maximize")
    for trial in trials:
        study.add_trial(
            optuna.trial.create_trial(
                params={name: each.encode(trial.assignments[name]) for name, each in dimensions.items()},
                distributions={name: each.distribution for name, each in dimensions.items()},
                value=trial.value(run.experiment.objective),
            )
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}
