"""Passes that change a lowered program: other layouts, cuts and tiles, the same results."""
