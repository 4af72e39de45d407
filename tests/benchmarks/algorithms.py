"""Best value after 30 trials, 20 seeds: every algorithm beside plain Optuna and plain scikit-optimize.

Each number is the median over the seeds of how far the best was from the function's least value; the last column is
the mean rank over the functions. A dash is a space that the algorithm cannot search. Trials run one after another.
"""

from __future__ import annotations

import math
import statistics
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from boxtune.errors import ExperimentError
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.catalogue import ALGORITHMS
from tests.benchmarks.functions import FUNCTIONS, Function, detector
from tests.boxtune.search.story import Story, experiment

TRIALS, SEEDS = 30, 20
PEERS = ("plain Optuna (TPE)", "plain scikit-optimize (GP)")


def ours(function: Function, algorithm: str, seed: int) -> float:
    """The least of TRIALS values that `algorithm` found."""
    space = tuple(_stepped(spec, len(function.space)) if algorithm == "grid" else spec for spec in function.space)
    settings = {} if algorithm == "sobol" else {"random_state": str(seed)}
    story = Story(experiment(algorithm, space, settings, maximize=False))
    values: list[float] = []
    while len(values) < TRIALS and story.suggest() is not None:
        values.append(function.value(story.ask()))
        story.tell(len(values) - 1, values[-1])
    return min(values)


def _stepped(spec: ParameterSpec, parameters: int) -> ParameterSpec:
    """A range with as many steps as a grid of about TRIALS points allows."""
    if spec.values:
        return spec
    levels = max(2, int(TRIALS ** (1 / parameters)))
    return replace(spec, step=(spec.high - spec.low) / (levels - 1), distribution="uniform")


def plain_optuna(function: Function, seed: int) -> float:
    """Optuna as its tutorial shows it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: optuna.Trial) -> float:
        chosen: Assignments = {}
        for spec in function.space:
            if spec.values:
                chosen[spec.name] = trial.suggest_categorical(spec.name, spec.values)
            else:
                log = spec.distribution == "logUniform"
                chosen[spec.name] = repr(trial.suggest_float(spec.name, spec.low, spec.high, log=log))
        return function.value(chosen)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=TRIALS)
    return study.best_value


def plain_skopt(function: Function, seed: int) -> float:
    """scikit-optimize's gp_minimize with its defaults."""
    import skopt
    from skopt.space import Categorical, Real

    names = [spec.name for spec in function.space]
    space = [
        Categorical(spec.values)
        if spec.values
        else Real(spec.low, spec.high, prior="log-uniform" if spec.distribution == "logUniform" else "uniform")
        for spec in function.space
    ]
    found = skopt.gp_minimize(
        lambda point: function.value({name: str(value) for name, value in zip(names, point, strict=True)}),
        space,
        n_calls=TRIALS,
        random_state=seed,
    )
    return float(found.fun)


def _one(job: tuple[str, str, int]) -> float:
    warnings.simplefilter("ignore")
    where, algorithm, seed = job
    function = next(each for each in (*FUNCTIONS, detector()) if each.name == where)
    how: dict[str, Callable[[Function, int], float]] = dict(zip(PEERS, (plain_optuna, plain_skopt), strict=True))
    try:
        best = how[algorithm](function, seed) if algorithm in how else ours(function, algorithm, seed)
    except ExperimentError:  # a space that it cannot search
        return math.nan
    return best - function.least


def main() -> None:
    """Print the table as Markdown."""
    functions = [*FUNCTIONS, detector()]
    algorithms = [*ALGORITHMS, *PEERS]
    print(f"| after {TRIALS} trials, {SEEDS} seeds | {' | '.join(each.name for each in functions)} | mean rank |")
    print(f"| --- {'| --- ' * (len(functions) + 1)}|")
    jobs = [(f.name, algorithm, seed) for algorithm in algorithms for f in functions for seed in range(SEEDS)]
    results = {}
    with ProcessPoolExecutor(2) as pool:
        for job, value in zip(jobs, pool.map(_one, jobs, chunksize=SEEDS), strict=True):
            results[job] = value
            if job[2] == SEEDS - 1:
                print(f"{job[1]}, {job[0]}: {len(results)} of {len(jobs)}", file=sys.stderr, flush=True)
    medians = {
        (algorithm, f.name): statistics.median(results[f.name, algorithm, seed] for seed in range(SEEDS))
        for algorithm in algorithms
        for f in functions
    }
    for algorithm in algorithms:
        able = [f for f in functions if not math.isnan(medians[algorithm, f.name])]
        ranks = [sum(medians[other, f.name] < medians[algorithm, f.name] for other in algorithms) + 1 for f in able]
        cells = [f"{medians[algorithm, f.name]:.3g}" if f in able else "–" for f in functions]
        print(f"| {algorithm} | {' | '.join(cells)} | {statistics.mean(ranks):.1f} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
