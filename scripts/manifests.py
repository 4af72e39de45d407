"""Writes manifests/experiments/NAME.yaml, complete for `kubectl apply -f` and `boxtune run`, from its kustomization.

What of kustomize the Experiments use: one resource, JSON 6902 patches, and ConfigMaps generated from files with hashed
names. A test compares the result with kustomize's own where that is installed. `--check` writes nothing and fails
where a file is not current.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

from boxtune.experiment.kustomization import generated_config_maps, hashed_name, read_kustomization

EXPERIMENTS = Path(__file__).parents[1] / "manifests" / "experiments"
_ORDER = ("apiVersion", "kind", "metadata", "spec", "objective", "algorithm", "earlyStopping", "parallelTrialCount",
          "maxTrialCount", "maxFailedTrialCount", "parameters", "trialTemplate", "primaryContainerName",
          "trialParameters", "trialSpec")  # fmt: skip


class _Dumper(yaml.SafeDumper):
    """Text of several lines as it stands; lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def rendered(folder: Path) -> list[dict[str, Any]]:
    """What kustomize builds of an experiment's folder: the ConfigMap and the Experiment."""
    kustomization = read_kustomization(folder)
    base = (folder / kustomization["resources"][0]).resolve()
    experiment = yaml.safe_load((base / read_kustomization(base)["resources"][0]).read_text())
    for each in kustomization["patches"]:
        experiment = jsonpatch.apply_patch(experiment, yaml.safe_load(each["patch"]))
    names, config_maps = {}, []
    for name, data in (generated_config_maps(base) | generated_config_maps(folder)).items():
        names[name] = hashed_name(name, data)
        config_maps.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": names[name]}, "data": data})
    for volume in experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["volumes"]:
        if volume.get("configMap", {}).get("name") in names:
            volume["configMap"]["name"] = names[volume["configMap"]["name"]]
    return [*config_maps, _ordered(experiment)]


def _ordered(mapping: dict[str, Any]) -> dict[str, Any]:
    """Keys in the order in which people read an Experiment."""
    place = {key: number for number, key in enumerate(_ORDER)}
    items = sorted(mapping.items(), key=lambda item: place.get(item[0], len(place)))
    inner = ("spec", "trialTemplate") if "objective" in mapping or mapping.get("kind") == "Experiment" else ()
    return {key: _ordered(value) if key in inner else value for key, value in items}


def text_of(folder: Path) -> str:
    """The file beside the folder."""
    comment = []
    for line in (folder / "kustomization.yaml").read_text().splitlines():
        if not line.startswith("#"):
            break
        comment.append(line)
    documents = [yaml.dump(each, Dumper=_Dumper, sort_keys=False, width=120) for each in rendered(folder)]
    about = "\n".join([*comment, "#", f"# Made by scripts/manifests from {folder.name}/; change that."])
    return about + "\n" + "---\n".join(documents)


def main() -> int:
    """Write or check every file; returns the exit code."""
    stale = []
    for folder in sorted(each.parent for each in EXPERIMENTS.glob("*/kustomization.yaml")):
        if folder.name == "base":
            continue
        file, text = folder.with_suffix(".yaml"), text_of(folder)
        if file.exists() and file.read_text() == text:
            continue
        stale.append(str(file))
        if "--check" not in sys.argv:
            file.write_text(text)
            print(file)
    if stale and "--check" in sys.argv:
        print(f"not current: {', '.join(stale)}; run scripts/manifests", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
