"""What ruins a training, found in records: faults, leaks, objects too small to see."""
