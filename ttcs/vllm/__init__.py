"""vLLM's engine as the policy and the PRM on it need it: settings, start, work, and what is told when it fails."""
