"""A model with its metadata, and ensembles of models."""
