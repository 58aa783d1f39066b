/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_pdm.h"
#include "hardware/clocks.h"
#include "microphone.h"
#include "microphone_input.h"
#include "microphone_input.pio.h"

#define CYCLES (2u * 8u * ASC_PDM_BYTES) /* of the program for a sample */

#if ASC_PDM_OUTPUTS(4u * MICROPHONE_WORDS) > MICROPHONE_SAMPLES
#error "a chunk has more samples"
#endif

static asc_pdm_t pdm;

const pio_program_t *microphone_input_program(void) {
    return &pdm_program;
}

void microphone_input_init(PIO pio, uint machine, uint offset) {
    pio_sm_config config = pdm_program_get_default_config(offset);
    sm_config_set_sideset_pins(&config, MICROPHONE_CLOCK_PIN);
    sm_config_set_in_pins(&config, MICROPHONE_DATA_PIN);
    sm_config_set_in_shift(&config, true, true, 32); /* the first bit ends as the lowest */
    sm_config_set_fifo_join(&config, PIO_FIFO_JOIN_RX);
    sm_config_set_clkdiv(&config, (float)clock_get_hz(clk_sys) / (float)(CYCLES * MICROPHONE_RATE));
    pio_gpio_init(pio, MICROPHONE_CLOCK_PIN);
    pio_gpio_init(pio, MICROPHONE_DATA_PIN);
    (void)pio_sm_set_consecutive_pindirs(pio, machine, MICROPHONE_CLOCK_PIN, 1, true);
    (void)pio_sm_set_consecutive_pindirs(pio, machine, MICROPHONE_DATA_PIN, 1, false);
    (void)pio_sm_init(pio, machine, offset, &config);
    asc_pdm_init(&pdm);
}

/* Only bytes of the buffer are read, which the DMA has written before the interrupt. */
size_t microphone_input_samples(const volatile uint32_t *words, int16_t *samples) {
    static uint32_t chunk[MICROPHONE_WORDS];
    for (uint32_t i = 0; i < MICROPHONE_WORDS; i++) {
        chunk[i] = words[i];
    }
    return asc_pdm(&pdm, (const uint8_t *)chunk, sizeof chunk, samples);
}

void microphone_input_gap(void) {
    asc_pdm_init(&pdm);
}
