"""What a config must have, one module a subject: each takes a whole config and gives findings, nothing else."""
