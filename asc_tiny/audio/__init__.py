"""Recordings: clips, datasets in the TAU layout, and checks of both."""
