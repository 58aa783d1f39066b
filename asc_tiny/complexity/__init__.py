"""Complexity of a model: parameters, multiply-accumulates, and the gate that limits them."""
