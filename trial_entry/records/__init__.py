"""TFRecord framing, Example messages, label maps and data digests, without TensorFlow."""
