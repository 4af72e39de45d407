"""The features' types are those that the API's decoder asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from trial_entry.records.features import LISTS, SINGLE

PROGRAM = """
import json
from trial_entry.detection.compat import load_api
load_api()
import tensorflow as tf
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
features = TfExampleDecoder().keys_to_features
found = {"single": {}, "lists": {}}
for name, feature in features.items():
    group = "single" if isinstance(feature, tf.io.FixedLenFeature) else "lists"
    found[group][name] = feature.dtype.name
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def of_the_api() -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_types_are_the_decoder_s(of_the_api: Any) -> None:
    types = {"bytes_list": "string", "int64_list": "int64", "float_list": "float32"}
    assert {name: types[kind] for name, kind in SINGLE.items()} == of_the_api["single"]
    assert {name: types[kind] for name, kind in LISTS.items()} == of_the_api["lists"]
