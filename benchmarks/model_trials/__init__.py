"""Models of anybody's, tried: measured, compiled, verified, and what came of it in a table."""
