"""Reading, addressing, editing, checking and writing a pipeline.config, without TensorFlow."""
