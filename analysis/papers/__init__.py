"""What serves the experiments of one paper."""
