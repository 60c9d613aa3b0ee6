"""How fast and how frugal it is, in ratios: `python -m benchmarks` (docs/performance.md)."""
