"""Checks that the shapes which a file states follow from its operators."""
