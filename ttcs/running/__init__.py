"""One run, many runs, many processes."""
