"""Search algorithms behind one ask/tell interface, with Katib's names and settings."""
