"""Candidates -> answer; problem -> difficulty."""
