"""The commands of `python -m trial_entry`, one module each."""
