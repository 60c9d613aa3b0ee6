"""Tools that are told of finished runs, besides their folders."""
