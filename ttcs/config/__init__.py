"""From yaml and command line to objects."""
