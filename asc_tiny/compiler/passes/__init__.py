"""Passes that change a lowered graph: other layouts, tiles and cascades, the same results."""
