"""Image files as they are seen: whether they decode, upright, whole or window by window, without TensorFlow."""
