"""Decisions over time: which windows of a stream are classified, and what is made of the scores."""
