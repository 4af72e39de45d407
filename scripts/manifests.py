"""Writes manifests/experiments/NAME.yaml, complete for `kubectl apply -f` and `boxtune run`, from its kustomization.

What of kustomize the Experiments use: one resource, JSON 6902 patches, and ConfigMaps generated from files with hashed
names. A test compares the result with kustomize's own where that is installed. `--check` writes nothing and fails
where a file is not current.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

EXPERIMENTS = Path(__file__).parents[1] / "manifests" / "experiments"
_ORDER = ("apiVersion", "kind", "metadata", "spec", "objective", "algorithm", "earlyStopping", "parallelTrialCount",
          "maxTrialCount", "maxFailedTrialCount", "parameters", "trialTemplate", "primaryContainerName",
          "trialParameters", "trialSpec")  # fmt: skip
_UNHASHED = str.maketrans("013ae", "ghkmt")  # kustomize keeps vowels and lookalikes out of its names


class _Dumper(yaml.SafeDumper):
    """Text of several lines as it stands; lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def rendered(folder: Path) -> list[dict[str, Any]]:
    """What kustomize builds of an experiment's folder: the ConfigMap and the Experiment."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    base = (folder / kustomization["resources"][0]).resolve()
    inherited = yaml.safe_load((base / "kustomization.yaml").read_text())
    experiment = yaml.safe_load((base / inherited["resources"][0]).read_text())
    for each in kustomization["patches"]:
        experiment = jsonpatch.apply_patch(experiment, yaml.safe_load(each["patch"]))
    generators = {each["name"]: (base, each) for each in inherited["configMapGenerator"]}
    generators |= {each["name"]: (folder, each) for each in kustomization.get("configMapGenerator", ())}
    config_maps, names = [], {}
    for name, (place, generator) in generators.items():
        data = {file: (place / file).read_text() for file in generator["files"]}
        names[name] = f"{name}-{_hash(data)}"
        config_maps.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": names[name]}, "data": data})
    for volume in experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["volumes"]:
        if volume.get("configMap", {}).get("name") in names:
            volume["configMap"]["name"] = names[volume["configMap"]["name"]]
    return [*config_maps, _ordered(experiment)]


def _hash(data: dict[str, str]) -> str:
    """kustomize's suffix: of the ConfigMap as Go's JSON, the first ten digits of SHA-256 in its own alphabet.

    Its hasher looks the name up at a path that nothing has, so it is always empty there.
    Source: kustomize, api/hasher/hasher.go.
    """
    text = json.dumps(
        {"data": data, "kind": "ConfigMap", "name": ""}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_UNHASHED)


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
