"""Every patch is still needed: without it, what it repairs fails. When one does not fail any more, it goes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trial_entry.detection.compat import PATCHES

# What to do, and what it says without the patch.
NEEDS = {
    "legacy_keras": ("from tests import builds; builds.build_ssd()", "has no attribute 'experimental'"),
    "tensorflow_io": ("from object_detection import model_lib_v2", "tensorflow_io"),
    "control_flow": (
        "import tf_slim; from tensorflow.python.ops import control_flow_ops; control_flow_ops.cond; "
        "control_flow_ops.case",
        "control_flow_ops",
    ),
    "estimator": ("from object_detection import model_lib; model_lib.tf_estimator.ModeKeys.TRAIN", "estimator"),
    "font_size": ("from PIL import ImageFont; ImageFont.load_default().getsize('x')", "getsize"),
    "keras_resnet": (
        "from object_detection.models.keras_models import resnet_v1; resnet_v1.resnet.ResNet",
        "has no attribute 'ResNet'",
    ),
    "seeded_map": ("from tests import builds; builds.deterministic_map()", "Random ops require a seed"),
    "seeded_crop": ("from tests import builds; builds.deterministic_crop()", 'requires "seed"'),
    "label_maps": ("from tests import builds; builds.marked_label_map()", "TypeError"),
    "blackout": ("from tests import builds; builds.blackout()", "OperatorNotAllowedInGraphError"),
}


def attempt(program: str, without: str) -> subprocess.CompletedProcess[str]:
    code = f"from trial_entry.detection.compat import load_api; load_api(without={without!r}); {program}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)


def test_every_patch_has_a_test() -> None:
    assert set(NEEDS) == {patch.name for patch in PATCHES}


@pytest.mark.e2e
@pytest.mark.parametrize("name", NEEDS)
def test_a_patch_is_still_needed(name: str) -> None:
    program, says = NEEDS[name]
    without = attempt(program, name)
    assert without.returncode != 0, f"{name} is not needed any more: take it out"
    assert says in without.stderr, without.stderr[-2000:]


def test_with_all_patches_everything_works() -> None:
    done = attempt("; ".join(program for program, _ in NEEDS.values()), "")
    assert done.returncode == 0, done.stderr[-3000:]
