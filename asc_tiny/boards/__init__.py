"""Boards and their microphones and toolchains, read from TOML files."""
