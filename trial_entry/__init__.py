"""One trial: assignments in, metrics out.

What belongs here: rendering a pipeline.config from assignments, training and evaluating it through the
TensorFlow Object Detection API, and saying what came out. Which trial comes next is decided in `boxtune`.
"""
