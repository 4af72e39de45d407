"""Importing TensorFlow and the API in less time: what no detector uses is left out, or loaded when it is used."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

# Optional to TensorFlow, tf_keras and tf-slim, and used by no detector; a quarter of all that is imported.
_SPARED = ("googleapiclient", "pandas", "scipy.linalg", "scipy.sparse", "sklearn")

# A second and a half of matplotlib and scipy, for drawings, DensePose, one matcher and LVIS's metrics.
_LAZY = (
    "lvis",
    "lvis.results",
    "matplotlib.pyplot",
    "object_detection.core.densepose_ops",
    "object_detection.matchers.hungarian_matcher",
    "object_detection.metrics.lvis_tools",
    "object_detection.utils.visualization_utils",
)


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import TensorFlow and the API within.

    Imports of _SPARED fail, which those who ask here take for "not installed" and do without; afterwards they can be
    imported. Those of _LAZY give stand-ins, which stay. The garbage collector waits: it would go through millions of
    objects, of which none is garbage, again and again.
    """
    for name in _LAZY:
        if name not in sys.modules:
            _stand_in(name)
    absent = [name for name in _SPARED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: what Python documents for this
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        gc.freeze()  # what is here now is here to stay
        if collecting:
            gc.enable()


class _Lazy(ModuleType):
    """A module that is loaded when something of it is first used; importlib's LazyLoader loads at any `import`."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # the import system looks for these
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)


def _stand_in(name: str) -> None:
    sys.modules[name] = module = _Lazy(name)
    parent, _, child = name.rpartition(".")
    if isinstance(sys.modules.get(parent), _Lazy):
        setattr(sys.modules[parent], child, module)  # `from parent import child` would load it else
