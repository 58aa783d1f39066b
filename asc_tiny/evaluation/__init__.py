"""Accuracy of models and systems on recordings: metrics, tables, plots, reports."""
