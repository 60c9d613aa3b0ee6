"""What a run or a sweep will cost, before it is paid for (docs/planning.md)."""
