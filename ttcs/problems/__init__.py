"""Problem sets: where problems come from."""
