"""What a trial and whoever starts it agree on, importable by both, without TensorFlow and without protobuf."""
