"""What is computed: estimates, intervals, bins."""
