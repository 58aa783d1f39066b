/* SPDX-License-Identifier: Apache-2.0 */
#include "hardware/clocks.h"
#include "microphone.h"
#include "microphone_input.h"
#include "microphone_input.pio.h"

#define CYCLES 128u /* of the program for a sample */
#define WORD_SELECT_PIN (MICROPHONE_CLOCK_PIN + 1u)

const pio_program_t *microphone_input_program(void) {
    return &i2s_program;
}

void microphone_input_init(PIO pio, uint machine, uint offset) {
    pio_sm_config config = i2s_program_get_default_config(offset);
    sm_config_set_sideset_pins(&config, MICROPHONE_CLOCK_PIN);
    sm_config_set_in_pins(&config, MICROPHONE_DATA_PIN);
    sm_config_set_in_shift(&config, false, true, 32); /* the highest bit comes first */
    sm_config_set_fifo_join(&config, PIO_FIFO_JOIN_RX);
    sm_config_set_clkdiv(&config, (float)clock_get_hz(clk_sys) / (float)(CYCLES * MICROPHONE_RATE));
    pio_gpio_init(pio, MICROPHONE_CLOCK_PIN);
    pio_gpio_init(pio, WORD_SELECT_PIN);
    pio_gpio_init(pio, MICROPHONE_DATA_PIN);
    gpio_pull_down(MICROPHONE_DATA_PIN); /* nobody drives it in the right slot */
    (void)pio_sm_set_consecutive_pindirs(pio, machine, MICROPHONE_CLOCK_PIN, 2, true);
    (void)pio_sm_set_consecutive_pindirs(pio, machine, MICROPHONE_DATA_PIN, 1, false);
    (void)pio_sm_init(pio, machine, offset, &config);
}

size_t microphone_input_samples(const volatile uint32_t *words, int16_t *samples) {
    for (uint32_t i = 0; i < MICROPHONE_WORDS; i++) {
        samples[i] = (int16_t)(words[i] >> 16);
    }
    return MICROPHONE_WORDS;
}

void microphone_input_gap(void) {
}
