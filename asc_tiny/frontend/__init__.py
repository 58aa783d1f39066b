"""Log-mel front end: configuration, float64 reference, integer model, tables for the C code."""
