"""Test-time compute scaling for language models, declaratively."""

__version__ = "0.1.0"
