"""The contract's versions: which Boxtune and which TensorFlow are installed, told without importing either."""

from importlib.metadata import PackageNotFoundError, version


def boxtune_version() -> str:
    """`0.1.0`."""
    return version("boxtune")


def versions() -> str:
    """`boxtune 0.1.0 (tensorflow 2.21.0)`, for `--version` of both programs."""
    for name in ("tensorflow", "tensorflow-cpu"):
        try:
            return f"boxtune {boxtune_version()} (tensorflow {version(name)})"
        except PackageNotFoundError:
            continue
    return f"boxtune {boxtune_version()} (no tensorflow)"
