"""The only room that imports TensorFlow: compatibility, training, evaluation, checkpoints.

Everything goes through the API's own builders; this room decides only in which process and order they run.
"""
