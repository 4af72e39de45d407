"""Delivery's MODEL_CARD.md: what a published model is, how good, on what, and how it was made; the use is left to say.

The headings are those of Mitchell et al., Model Cards for Model Reporting (2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from boxtune.delivery.measured_page import metric_lines, warnings
from boxtune.delivery.measured_record import MeasuredRecord
from boxtune.delivery.reproduction import REPRODUCTION_FILE, Reproduction
from boxtune.delivery.training_record import TrainingRecord
from boxtune.report.text import assignment, number
from boxtune.runs.difference import LEVEL
from trial_entry.contract.exports import ExportRecord
from trial_entry.pipeline_config.classes import num_classes
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

CARD_FILE = "MODEL_CARD.md"


@dataclass(frozen=True)
class CardFacts:
    """What the card is written from.

    Attributes:
        config: the model's.
        labels: the classes, by number.
        reproduction: how it was made.
        training: its training.json, where there is one.
        test: measured on the test split, if anybody has looked.
        export: what was exported, if anything.
        created: RFC 3339.
    """

    config: TrainEvalPipelineConfig
    labels: Mapping[int, str]
    reproduction: Reproduction
    training: TrainingRecord | None
    test: MeasuredRecord | None
    export: ExportRecord | None
    created: str


def model_card(facts: CardFacts) -> str:
    """The card, in Markdown."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: CardFacts) -> Iterator[str]:
    made = facts.reproduction
    kind = facts.config.model.WhichOneof("model")
    extractor = getattr(facts.config.model, kind).feature_extractor.type
    yield f"# {made.name}, version {made.version}"
    yield ""
    yield f"An object detector ({kind}, {extractor}) of {num_classes(facts.config)} classes, published {facts.created}."
    yield ""
    yield "## Intended use"
    yield ""
    yield "*To be filled in by who publishes it: what it is for, who uses it, and what it must not be used for.*"
    yield ""
    yield "## Metrics"
    yield ""
    yield from _metrics(facts)
    yield ""
    yield "## Evaluation data"
    yield ""
    yield from _data(facts)
    yield ""
    yield "## Classes"
    yield ""
    yield ", ".join(f"{label} ({place})" for place, label in facts.labels.items())
    yield ""
    yield "## Training"
    yield ""
    yield from _training(facts)
    if facts.export is not None:
        yield ""
        yield "## Files to run"
        yield ""
        yield from _exports(facts.export)
    yield ""
    yield "## Limits and caveats"
    yield ""
    yield "*To be filled in: weather, heights, cameras and places that the images have not, and what is missed there.*"


def _metrics(facts: CardFacts) -> Iterator[str]:
    test, made = facts.test, facts.reproduction
    if test is None:
        yield "**Not measured on a test split.** These are of the validation split, by which the search chose, and so"
        yield "too good:"
        yield ""
        yield from _table(("metric", "value"), [(name, number(value)) for name, value in made.validation.items()])
        return
    yield f"On the {test.split} split, which took no part in training or choosing, with {test.level:.0%} intervals over"
    yield "images:"
    yield ""
    rows = [
        (line.name, number(line.value), number(line.low), number(line.high), number(made.validation.get(line.name)))
        for line in metric_lines(test)
    ]
    yield from _table(("metric", "value", "from", "to", "validation"), rows)
    yield ""
    yield f"Precision and recall are of detections from score {test.score_threshold:g} on, at IoU 0.5. How far another"
    yield "seed would move the numbers is no part of the intervals."
    for warning in warnings(test):
        yield ""
        yield f"**{warning}**"


def _data(facts: CardFacts) -> Iterator[str]:
    test = facts.test
    if test is not None:
        groups = f" in {test.groups} groups" if test.groups != test.images else ""
        yield f"- {test.split}: {test.images} images{groups}, `{_short(test.data_digest)}`, look {test.look} at them"
    for name, digest in facts.reproduction.data.items():
        yield f"- {name}: `{_short(digest)}`"
    yield ""
    yield f"Digests are SHA-256 over every record; {REPRODUCTION_FILE} has them whole."


def _training(facts: CardFacts) -> Iterator[str]:
    made, training = facts.reproduction, facts.training
    if made.experiment:
        trials = f" of {training.trials}" if training is not None and training.trials else ""
        yield f"Tuned by the Experiment {made.experiment} ({made.algorithm}): trial {made.trial}{trials} was chosen."
        yield ""
        yield f"{_confirmed(training)}"
        yield ""
    if made.assignments:
        yield from _table(("parameter", "value"), [(name, assignment(v)) for name, v in made.assignments.items()])
        yield ""
    seeds = training.seeds if training is not None else ()
    if len(seeds) > 1:
        objective = training.objective if training is not None else ""
        shown = ", ".join(f"{each.seed}: {number(each.metrics.get(objective))}" for each in seeds)
        yield f"The best of {len(seeds)} seeds on the validation split ({objective} {shown})."
        yield ""
    exactly = "deterministic" if made.deterministic else "not deterministic: near numbers, not equal ones"
    yield f"Seed {made.seed} ({exactly}), step {made.step}. `boxtune replay {REPRODUCTION_FILE}` makes it again."


def _confirmed(training: TrainingRecord | None) -> str:
    """Whether the search's answer is more than luck."""
    if training is None or not training.confirmation:
        return "Not confirmed: nobody has trained it again with other seeds (`boxtune confirm`), so it may be luck."
    return f"Confirmed by fresh trainings, with a {LEVEL:.0%} interval: {training.confirmation}."


def _exports(export: ExportRecord) -> Iterator[str]:
    rows = [
        (each.file or each.format, each.verdict, number(each.metrics.get("mAP")), each.reason or "")
        for each in export.formats
    ]
    yield f"The checkpoint's mAP on the same {export.images} images of the validation split:"
    yield f"{number(export.metrics.get('mAP'))}."
    yield ""
    yield from _table(("file", "verdict", "mAP", ""), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _short(digest: str) -> str:
    return digest[:16]
