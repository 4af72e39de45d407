"""The only room that imports TensorFlow: compatibility, training, evaluation, checkpoints.

Its modules import TensorFlow when they are called, not when they are imported, so that a wrong request is told at once.
Everything goes through the API's own builders; this room decides only in which process and order they run.
"""
