"""An nRF52840 as far as applications with a PDM microphone use it.

A core that Unicorn emulates (``cortex_m``) runs the image that would be flashed, with interrupts,
threads and sleep, among registers of ours by Nordic's product specification (``peripherals``).
Time passes by the functions that it calls, and to the next event where it sleeps.
"""
