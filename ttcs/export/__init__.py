"""Runs as data sets for other tools (docs/export.md)."""
