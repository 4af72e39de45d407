"""A run in optuna-dashboard, Optuna's web page: a run in, Optuna's studies out, and the server; nothing is written."""
