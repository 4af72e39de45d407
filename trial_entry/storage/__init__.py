"""Files of this machine and objects in buckets behind one interface."""
