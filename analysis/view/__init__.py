"""A window into searches: the records of runs as one page of HTML that needs no network (docs/view.md)."""
