"""Annotations to records: readers of formats, images, splits, tiles, records; what data suggest, how they look."""
