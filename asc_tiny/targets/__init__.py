"""Targets: boards, toolchains, emulator."""
