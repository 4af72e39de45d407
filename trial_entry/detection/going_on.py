"""Detection's going on: the checkpoint that a trial goes on from, looked at before anything is restored from it.

A checkpoint that is gone or damaged costs the steps that it held, not the trial: it goes on from another one that is
there, or from the start, and says so in one line.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from trial_entry.errors import ModelDirError, first_line
from trial_entry.kept_checkpoints import KeptCheckpoint, checkpoints_to_go_on_from, make_last

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """Where a trial begins.

    Attributes:
        step: of the checkpoint that the folder's `checkpoint` names now; None where training begins from the start.
        is_lost: whether the folder has been further.
    """

    step: int | None
    is_lost: bool = False


def find_start(folder: Path, reached: int) -> Start:
    """The last checkpoint of `folder` that can be read, which is its last from now on.

    Args:
        reached: the step that the trial has been at, as its records say.

    Raises:
        ModelDirError: this user may not read a checkpoint.
    """
    found, damage = None, {}
    for each in checkpoints_to_go_on_from(folder, reached):
        damage[each.step] = _damage_of(each)
        if not damage[each.step]:
            make_last(folder, each)
            found = each.step
            break
    is_lost = reached > (found or 0)
    if is_lost or any(damage.values()):
        lost = max(reached, *damage, 0)
        why = f"cannot be read ({damage[lost]})" if damage.get(lost) else "is not there"
        instead = f"going on from that of step {found}" if found else "training again from the start"
        _LOG.warning("%s: the checkpoint of step %d %s; %s", folder, lost, why, instead)
    return Start(found, is_lost)


def _damage_of(checkpoint: KeptCheckpoint) -> str:
    """What is wrong with a checkpoint; empty where all of it can be read. Its files hold a checksum of every tensor."""
    import tensorflow as tf

    try:
        for file in checkpoint.files():
            with file.open("rb"):
                pass
        reader = tf.train.load_checkpoint(str(checkpoint.prefix))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except PermissionError as error:
        raise ModelDirError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except (tf.errors.OpError, OSError, ValueError, RuntimeError) as error:
        return first_line(error)
    return ""
