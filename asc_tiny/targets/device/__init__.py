"""Boards on a serial line: frames, messages, lines, and a client that asks and waits."""
