"""Data parallelism on one machine: processes that each search problems with a policy and a PRM of their own."""
