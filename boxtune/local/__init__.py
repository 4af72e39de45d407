"""This machine as the cluster: trial processes, metrics collector, journal. Produces a run."""
