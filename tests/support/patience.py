"""How long tests wait for what must happen: they test that it does, never how fast.

A wait ends with what it waits for, and with the end of the program that was to do it. The limit is
for a program that hangs: a busy machine never reaches it.
"""

PATIENCE_S = 900.0
"""Seconds until a program that neither does what it must nor ends is taken to hang."""
