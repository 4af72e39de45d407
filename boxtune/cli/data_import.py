"""`boxtune data import`."""
