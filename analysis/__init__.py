"""Figures and tables from the records of ttcs, and from nothing else."""
