"""Complexity: graph reading, MACs, parameters, memory, limits."""
