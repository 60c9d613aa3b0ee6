"""When a vote has enough samples (docs/adaptive.md). Samples without an answer cost, but do not vote."""
