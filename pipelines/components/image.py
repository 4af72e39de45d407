"""The components' image: its name without a tag; a pipeline names the whole of it, by version or digest."""

IMAGE = "boxtune-pipeline"
