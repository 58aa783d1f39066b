"""Generated projects built, run, verified and flashed, on emulated cores and on boards."""
