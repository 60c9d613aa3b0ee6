"""Searches under way: interleaving, budgets, costs, the tree."""
