"""One module a format of annotations: `read` gives a stream of annotated images."""
