"""Compression: int8 quantisation and the metadata of the artefact."""
