"""The search algorithms, one module each: its settings, and how a policy is made of it, as `ALGORITHM`."""
