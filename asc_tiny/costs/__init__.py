"""Estimates of instructions, memory and fit, above the compiler that they ask."""
