"""Many trials: everything that decides which trial comes next, and keeps what came back.

Boxtune and a trial meet at argv, stdout, files and the exit code; nothing here imports TensorFlow.
"""
