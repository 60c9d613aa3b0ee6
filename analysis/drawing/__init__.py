"""What is drawn: (ax, df) -> ax, and how it is saved."""
