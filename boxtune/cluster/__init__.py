"""The same Experiment on Katib: submit, watch, fetch, by the Kubernetes API; produces a run."""
