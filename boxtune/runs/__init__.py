"""A search with its trials and status, read-only; all that shows, reports or delivers takes this."""
