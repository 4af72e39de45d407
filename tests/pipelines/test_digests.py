"""The first step: what is refused before anything costs time, and digests that follow what lies behind a path."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.cli.main import run_command
from boxtune.errors import BoxtuneError, ExperimentError, InputError
from boxtune.experiment.loading import load_experiment
from pipelines.steps.digests import Asked, digests
from pipelines.steps.given import MOST_BYTES, Changes, experiment_file, place_digest, prepared, written
from tests.conftest import EXPERIMENTS, QUICK_START

FILE = QUICK_START.with_suffix(".yaml")


def test_a_digest_follows_names_and_contents(digits: Path, data: Path) -> None:
    before = digests(Asked(data=str(digits))).data
    (data / "pipeline.config").unlink()
    assert digests(Asked(data=str(data))).data == before
    record = data / "train.record"
    record.write_bytes(record.read_bytes()[:-1] + b"x")
    changed = digests(Asked(data=str(data))).data
    assert changed != before
    record.rename(data / "training.record")
    assert digests(Asked(data=str(data))).data not in (before, changed)


def test_a_bucket_s_digest_is_of_its_listing(s3_bucket: Any, bucket: Any) -> None:
    s3_bucket.put_object(Bucket="drones", Key="set/train.record", Body=b"one")
    bucket.blob("set/train.record").upload_from_string(b"one")
    for place in ("s3://drones/set", "minio://drones/set", "gs://drones/set"):
        assert re.fullmatch("[0-9a-f]{64}", place_digest(place))
    before = [place_digest(place) for place in ("s3://drones/set", "gs://drones/set")]
    s3_bucket.put_object(Bucket="drones", Key="set/train.record", Body=b"two")
    bucket.blob("set/train.record").upload_from_string(b"two")
    after = [place_digest(place) for place in ("s3://drones/set", "gs://drones/set")]
    assert not set(before) & set(after)


def test_an_experiment_is_handed_on_complete(tmp_path: Path) -> None:
    """Text, path and a kustomization's folder give what `load_experiment` reads of the file."""
    expected = load_experiment(FILE)
    for given in (str(FILE), FILE.read_text()):
        found = digests(Asked(experiment=given)).experiment
        assert load_experiment(written(found)) == expected


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_prepared_experiment_is_what_was_asked_for(file: Path) -> None:
    found = load_experiment(written(prepared(file, Changes(2, 1, 7, "registry/trial@sha256:0"))))
    given = load_experiment(file)
    assert (found.counts.most, found.counts.parallel) == (2, 1)
    assert found.counts.most_failed == min(2, given.counts.most_failed or 2)
    assert found.template.job is not None
    container = found.template.job.pod.containers[0]
    lengths = [each for each in container.args or () if each.startswith(("--set=epochs", "--set=num_steps"))]
    assert lengths == ["--set=num_steps=7"]
    assert container.image == "registry/trial@sha256:0"
    assert found.parameters == given.parameters
    assert found.config_maps == given.config_maps


def test_texts_that_yaml_would_read_otherwise_stay_texts(tmp_path: Path) -> None:
    config_map, experiment = yaml.safe_load_all(FILE.read_text())
    values = ["y", "n", "1e-4", "0x10", "~", "null", "on", "010", "10:30", "2026-01-01", "a: b", " x", "#", "é"]
    config_map["data"] |= {f"key{number}": value for number, value in enumerate(values)}
    file = tmp_path / "experiment.yaml"
    file.write_text("---\n".join(json.dumps(each) + "\n" for each in (config_map, experiment)))
    found = load_experiment(written(prepared(file, Changes())))
    [data] = found.config_maps.values()
    assert [data[f"key{number}"] for number in range(len(values))] == values


def test_a_refused_experiment_is_refused_with_its_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(FILE.read_text().replace("max: '0.05'", "max: 'abc'").replace("max: '0.7'", "max: 'def'"))
    with pytest.raises(ExperimentError, match=r'refused: line \d+: .*"abc" is no number; 1 more, listed above'):
        digests(Asked(experiment=str(file)))
    said = capsys.readouterr().out
    assert '"abc" is no number' in said
    assert '"def" is no number' in said
    assert run_command(["check", str(file)]) == 2


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(engine="vizier"), 'engine "vizier": must be katib or local'),
        (Asked(split="train"), 'split "train": must be test or validation'),
        (Asked(seeds=0), "seeds 0: must be a number from 1"),
        (Asked(changes=Changes(max_trials=-1)), "max_trials -1: must be a number from 0"),
        (Asked(formats=["tflight"]), "formats: there is no tflight; there are saved_model, "),
        (Asked(data="/nowhere/data"), "/nowhere/data: no such file or folder here; .* mount its claim, or give a URL"),
        (Asked(publish_to=f"{FILE}/models"), r"quick-start\.yaml cannot be written here; give another place"),
        (Asked(experiment="/nowhere.yaml"), "/nowhere.yaml: no such file"),
        (Asked(config="/nowhere.config"), "/nowhere.config: cannot be read"),
        (Asked(config="model {\n"), "config"),
        (Asked(experiment=str(FILE), changes=Changes(num_steps=-1)), "num_steps -1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(asked: Asked, words: str) -> None:
    with pytest.raises(BoxtuneError, match=words) as caught:
        digests(asked)
    assert "\n" not in str(caught.value).strip()
    assert caught.value.exit_code == 2


def test_other_code_in_an_image_of_the_same_tag_is_other_software(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for package in ("boxtune", "pipelines", "trial_entry"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / package, tmp_path / package, ignore=ignored)
    code = "from pipelines.steps.digests import *; print(digests(Asked(image='i:1')).software)"

    def software() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    before = software()
    assert before == software()
    assert before.startswith("i:1 boxtune ")
    with (tmp_path / "trial_entry" / "measuring" / "confusion.py").open("a") as file:
        file.write("# changed\n")
    assert software() != before


def test_an_empty_folder_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is here"):
        digests(Asked(data=str(tmp_path)))


def test_an_experiment_too_long_for_a_parameter_says_so(tmp_path: Path) -> None:
    config_map, experiment = yaml.safe_load_all(FILE.read_text())
    config_map["data"]["more"] = "x" * MOST_BYTES
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump_all([config_map, experiment]))
    with pytest.raises(InputError, match=r"quick-start: is \d+ bytes with its ConfigMaps, and a .* holds 60000"):
        digests(Asked(experiment=str(file)))


def test_a_length_that_is_searched_is_not_set(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(
        FILE.read_text().replace("--set=epochs=10", "--seed=1").replace("--set=batch_size=", "--set=num_steps=")
    )
    with pytest.raises(ExperimentError, match="num_steps: the search assigns num_steps"):
        digests(Asked(experiment=str(file), changes=Changes(num_steps=5)))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(formats=[["a"]]), r'formats: there is no \["a"\]; there are'),
        (Asked(formats=[{"a": 1}]), "formats: there is no"),
        (Asked(formats=[None]), "formats: there is no null"),
        (Asked(publish_to="s3://drones/models"), "s3://drones/models: s3:// is read here, not written"),
        (Asked(publish_to="minio://mlpipeline/models"), "is read here, not written"),
        (Asked(publish_to="file:///models"), "publish_to file:///models: write gs://BUCKET/PREFIX, or the whole path"),
        (Asked(publish_to="~/models"), "publish_to ~/models: write"),
        (Asked(publish_to="models"), "publish_to models: write"),
        *(
            (Asked(model_name=name), "model_name .*: must be a name without slashes")
            for name in ("", " ", ".", "..", "../x", "a/b", "/a", "a\nb", "x" * 300)
        ),
    ],
)
def test_what_the_last_steps_would_refuse_is_refused_first(asked: Asked, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        digests(asked)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_texts_of_one_line_are_no_paths(data: Path) -> None:
    [*_, experiment] = yaml.safe_load_all(digests(Asked(experiment=str(FILE))).experiment)
    assert load_experiment(experiment_file(json.dumps(experiment))).name == "quick-start"
    config = " ".join(re.sub("#.*", "", (data / "pipeline.config").read_text()).split())
    assert digests(Asked(config=config)).config == config
