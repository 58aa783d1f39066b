"""STM32 chips as far as the application uses them, around a core that Unicorn emulates.

The image is the one that would be flashed: ST's start-up code and HAL with what was generated. Its
registers are memory, in which these modules move what the hardware moves: ready bits, the UART, the
DMA, and an SAI, a DFSDM or an I2S that hears a clip. What is wired to which pin, which request a
DMA hears and where a PLL gets its clock from stands a second time in ``files/stm32_chips.toml``.
"""
