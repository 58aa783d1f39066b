"""Recordings: clips, data sets in the TAU layout, checks of both, and data sets made of others."""
