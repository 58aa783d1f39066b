"""Sections of the page: a module each, with ``section(subject)``."""
