"""Which Boxtune and which TensorFlow are installed, without importing either."""

from importlib.metadata import PackageNotFoundError, version


def versions() -> str:
    for name in ("tensorflow", "tensorflow-cpu"):
        try:
            return f"boxtune {version('boxtune')} (tensorflow {version(name)})"
        except PackageNotFoundError:
            continue
    return f"boxtune {version('boxtune')} (no tensorflow)"
