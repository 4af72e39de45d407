"""Delivery's training: a recipe trained to its end, with one seed or several, each going on where it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boxtune.delivery.asking import ask, request_errors, to_standard_error
from boxtune.delivery.recipe import Recipe
from boxtune.delivery.training_home import TrainingHome, training_home
from boxtune.delivery.training_record import SeedRecord, TrainingRecord
from boxtune.errors import InputError
from trial_entry.contract.files import CHECKPOINT_FILE
from trial_entry.contract.metrics import DIVERGED, Objective
from trial_entry.contract.records import MetricRow, read_trial
from trial_entry.contract.requests import MAXIMIZE, MINIMIZE, TrainRequest
from trial_entry.storage.urls import Remote


@dataclass(frozen=True)
class TrainOptions:
    """How a recipe is to be trained.

    Attributes:
        out: the folder or gs:// prefix that takes the trainings.
        seeds: how many.
        seed: the first; None to go on from the trial's own checkpoint where there is one, or else begin at 1.
        eval_every_n: steps between evaluations; None as the trials had it.
        deterministic: whether the same seed gives the same numbers; None as the trials had it.
        command: as it was given, for the record.
    """

    out: Path | Remote
    seeds: int = 1
    seed: int | None = None
    eval_every_n: int | None = None
    deterministic: bool | None = None
    command: Sequence[str] = ()


def train(recipe: Recipe, options: TrainOptions, say: Callable[[str], None] = to_standard_error) -> TrainingRecord:
    """Train every seed that has not ended yet; the same call on the same place goes on.

    Args:
        say: is told what happens, a line at a time.

    Raises:
        InputError: the place holds another training, or a trial finds something wrong.
        Interrupted: a signal came; what was done is kept.
    """
    with request_errors():
        home = training_home(options.out)
        record = _begun(home, recipe, options)
        for note in recipe.notes:
            say(f"note: {note}")
        begun = _place_to_go_on(recipe, options)
        asked = _seeds(recipe, options, begun)
        for seed in asked:
            known = next((each for each in record.seeds if each.seed == seed), None)
            if known is not None and known.step:
                say(f"seed {seed}: trained before, to step {known.step}")
                continue
            trained = _train_seed(home, recipe, options, seed, begun, say)
            others = tuple(each for each in record.seeds if each.seed != seed)
            record = replace(record, seeds=(*others, trained))
            home.keep(record)
        before = [str(each.seed) for each in record.seeds if each.seed not in asked]
        if before:
            say(f"note: seeds {', '.join(before)} were trained here before, and the best is chosen among all")
        record = replace(record, chosen=_best(record).folder)
        home.keep(record)
    return record


def _begun(home: TrainingHome, recipe: Recipe, options: TrainOptions) -> TrainingRecord:
    """The training that the place holds already, or a new one."""
    before = home.read()
    if before is not None:
        if before.config_digest != recipe.record.config_digest:
            what = f"of {before.trial or before.source}"
            raise InputError(f"{home.place}: holds a training {what}, whose config differs; name another with --out")
        if home.config_text() != recipe.config:
            raise InputError(f"{home.place}: holds a training on other records than this; name another with --out")
        return before
    home.begin(recipe.config)
    record = replace(recipe.record, command=tuple(options.command))
    home.keep(record)
    return record


def _seeds(recipe: Recipe, options: TrainOptions, begun: Path | None) -> list[int]:
    """A chosen trial's own seed is not among several: it was lucky by choice."""
    own = read_trial(recipe.begun).seed if recipe.begun is not None else None
    if begun is not None and own is not None:
        return [own]
    first = 1 if options.seed is None else options.seed
    numbers = [number for number in range(first, first + options.seeds + 1) if number != own or options.seed == own]
    return numbers[: options.seeds]


def _place_to_go_on(recipe: Recipe, options: TrainOptions) -> Path | None:
    """The trial's own folder, where its checkpoint is there and nobody asks for another seed."""
    begun = recipe.begun
    if begun is None or options.seed is not None or options.seeds > 1:
        return None
    record = read_trial(begun)
    usable = record.seed is not None and not record.diverged and (begun / CHECKPOINT_FILE).is_file()
    return begun if usable else None


def _train_seed(
    home: TrainingHome,
    recipe: Recipe,
    options: TrainOptions,
    seed: int,
    begun: Path | None,
    say: Callable[[str], None],
) -> SeedRecord:
    if begun is not None and home.take_over(begun, seed):
        say(f"seed {seed}: goes on from the checkpoint of {recipe.record.trial}, step {read_trial(begun).steps}")
    ask(_request(home, recipe, options, seed), lambda line: say(f"seed {seed}: {line}"))
    record, rows = home.left(seed)
    row = _counts(rows, recipe.record)
    went_on = recipe.record.trial if begun is not None else ""
    return SeedRecord(seed, home.name(seed), went_on, row.step, dict(row.metrics), record.diverged or "")


def _request(home: TrainingHome, recipe: Recipe, options: TrainOptions, seed: int) -> TrainRequest:
    record, given = recipe.record, recipe.request
    return TrainRequest(
        pipeline_config_path=home.config,
        model_dir=home.model_dir(seed),
        seed=seed,
        score_threshold=given.score_threshold,
        checkpoint_every_n=given.checkpoint_every_n,
        num_train_steps=given.num_train_steps,
        eval_every_n=given.eval_every_n if options.eval_every_n is None else options.eval_every_n,
        deterministic=given.deterministic if options.deterministic is None else options.deterministic,
        divergence_factor=given.divergence_factor,
        divergence_steps=given.divergence_steps,
        objective_metric=record.objective,
        objective_type=MINIMIZE if record.minimize else MAXIMIZE,
    )


def _counts(rows: Sequence[MetricRow], record: TrainingRecord) -> MetricRow:
    """The evaluation of the checkpoint that best/ keeps: the first of the best."""
    objective = Objective(record.objective, record.minimize)
    return max(rows, key=lambda row: objective.height(row.metrics))


def _best(record: TrainingRecord) -> SeedRecord:
    """The best seed by the objective; one that diverged is none while another is there."""
    objective = Objective(record.objective, record.minimize)
    whole = [each for each in record.seeds if not each.metrics.get(DIVERGED)] or record.seeds
    return max(whole, key=lambda each: objective.height(each.metrics))
