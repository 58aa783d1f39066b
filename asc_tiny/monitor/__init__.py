"""A watched board: one state that its events change, and views of it."""
