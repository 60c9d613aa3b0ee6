"""Searches for a program that asks for them one by one: a thread that interleaves them, and what they have found."""
