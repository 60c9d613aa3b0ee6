"""Run folders -> DataFrames."""
