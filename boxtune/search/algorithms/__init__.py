"""The search algorithms, one module each: how it draws, and its settings, as `ALGORITHM`."""
