"""Lowering: each operator of a graph becomes stages, which are calls of kernels."""
