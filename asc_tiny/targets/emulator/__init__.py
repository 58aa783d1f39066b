"""Projects built and run on emulated cores."""
