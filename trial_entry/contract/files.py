"""The names of what a trial leaves in its MODEL_DIR."""

from __future__ import annotations

CONFIG_FILE = "pipeline.config"  # the one that ran
TRIAL_FILE = "trial.json"  # assignments, versions, seeds, digests, times, reason
METRICS_FILE = "metrics.json"  # one row an evaluation
LOCK_FILE = "trial.lock"  # held (flock) by the running trial; its process id
CHECKPOINT_FILE = "checkpoint"  # TensorFlow's: names the last one
CHECKPOINT_FILES = ("ckpt-*.index", "ckpt-*.data-*", CHECKPOINT_FILE)
BEST_FOLDER = "best"  # the best evaluation's checkpoint
EVALUATION_FILE = "evaluation.json"  # of the command `evaluate`
BUILD_FILE = "build.json"  # of the command `build`
DETAILS_FOLDER = "details"  # an evaluation's curves, classes and pictures
DETAILS_FILE = "details.json"
TRAIN_EVENTS, EVALUATION_EVENTS = "train", "eval"  # TensorBoard's
