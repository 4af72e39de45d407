"""The contract's file names: every file and folder that a trial leaves in its MODEL_DIR, each named once, here.

MODEL_DIR/
    pipeline.config    the config that runs, complete
    trial.json         assignments, versions, seeds, digests, times, reason
    metrics.json       one row an evaluation
    trial.lock         held (flock) by the running trial; its process id
    checkpoint         names the last checkpoint, as TensorFlow writes it; ckpt-STEP.index and ckpt-STEP.data-… are it
    best/              the best checkpoint and a `checkpoint` that names it
    train/, eval/      TensorBoard events
    evaluation.json    what `evaluate` measured last
    build.json         what `build` made of each case
    details/           curves, a table by class and pictures of the best trial, with an evaluation.json of its own
        details.json
    export/            the model in other formats (`trial_entry.contract.exports` says what is in it)
        export.json, metadata.json, label_map.pbtxt

A folder that `fetch` filled:
    .fetched.json      what it holds; written last
"""

CONFIG_FILE = "pipeline.config"
TRIAL_FILE = "trial.json"
METRICS_FILE = "metrics.json"
LOCK_FILE = "trial.lock"
CHECKPOINT_FILE = "checkpoint"
CHECKPOINT_PATTERNS = ("ckpt-*.index", "ckpt-*.data-*", CHECKPOINT_FILE)
BEST_FOLDER = "best"
TRAIN_EVENTS_FOLDER = "train"
EVALUATION_EVENTS_FOLDER = "eval"
EVALUATION_FILE = "evaluation.json"
BUILD_FILE = "build.json"
DETAILS_FOLDER = "details"
DETAILS_FILE = "details.json"
EXPORT_FOLDER = "export"
EXPORT_FILE = "export.json"
METADATA_FILE = "metadata.json"
LABEL_MAP_FILE = "label_map.pbtxt"
FETCHED_FILE = ".fetched.json"
