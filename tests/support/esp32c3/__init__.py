"""An ESP32-C3 as far as an application of ESP-IDF uses it, around a core that Unicorn emulates.

The image is the one that would be flashed: its own start, FreeRTOS and drivers run. Ours are the
registers, by Espressif's technical reference manual; functions of the chip's ROM, whose code no
registry has (``rom``); and the bootloader's work, flash and efuses.
"""
