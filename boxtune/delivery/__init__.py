"""After the search: what the best trial gives."""
