"""What data suggest: anchors, image size, number of detections."""
