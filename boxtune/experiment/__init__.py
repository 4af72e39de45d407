"""The Experiment, in Katib's own format: read, validated as Katib's webhook would, its search space typed."""
