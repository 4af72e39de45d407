"""The room of numbers about boxes: COCO's metrics and suppression again, by NumPy and faster-coco-eval alone."""
