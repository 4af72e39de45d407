"""A folder's kustomization: ConfigMaps from files. tests/manifests asks kubectl's own kustomize for the names."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.kustomization import generated_config_maps, read_kustomization


def write(folder: Path, text: str, name: str = "kustomization.yaml") -> None:
    (folder / name).write_text(text)


def test_no_kustomization_is_an_empty_one(tmp_path: Path) -> None:
    assert read_kustomization(tmp_path) == {}
    assert generated_config_maps(tmp_path) == {}


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_files_are_read_under_their_names_or_the_given_ones(tmp_path: Path, name: str) -> None:
    (tmp_path / "pipeline.config").write_text("model {}")
    write(tmp_path, "configMapGenerator:\n- name: c\n  files: [pipeline.config, base=pipeline.config]\n", name)
    assert generated_config_maps(tmp_path) == {"c": {"pipeline.config": "model {}", "base": "model {}"}}


def test_literals_and_files_of_variables(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("# a comment\nLR=0.05\n\nNAME=a=b\n")
    write(tmp_path, "configMapGenerator:\n- {name: c, envs: [settings.env], literals: [WD=1, 'TEXT=\"a b\"']}\n")
    assert generated_config_maps(tmp_path) == {"c": {"LR": "0.05", "NAME": "a=b", "WD": "1", "TEXT": "a b"}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "must be a mapping"),
        ("configMapGenerator: [word]", "configMapGenerator.0: Input should be a valid dictionary"),
        ("configMapGenerator: [{files: [a]}]", "configMapGenerator.0.name: Field required"),
        ("configMapGenerator: [{name: c, files: [missing.config]}]", "configMapGenerator.0.files: .*missing.config"),
        ("configMapGenerator: word", "configMapGenerator: Input should be a valid list"),
        ("configMapGenerator: [{name: c, files: 3}]", "configMapGenerator.0.files: Input should be a valid list"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, text, "kustomization.yml")
    with pytest.raises(ExperimentError, match=says) as refused:
        generated_config_maps(tmp_path)
    assert "kustomization.yml" in str(refused.value)
