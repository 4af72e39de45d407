"""The built-in data set: handwritten digits on photographs and noise, made in seconds, offline."""
