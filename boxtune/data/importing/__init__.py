"""Annotations and images in, a folder of records out: looked at, split, cut, written, whole or not at all."""
