/* SPDX-License-Identifier: Apache-2.0
 *
 * A microphone by a program of a PIO block, and two DMA channels that start each other: each fills
 * a chunk of its own, again and again. Their interrupt has the time of a chunk to take the one that
 * is complete.
 */
#include "microphone.h"

#include <stdbool.h>

#include "asc_listen.h"
#include "hardware/dma.h"
#include "hardware/irq.h"
#include "hardware/sync.h"
#include "microphone_input.h"
#include "pico/error.h"

#define CHUNK_BYTES (4u * MICROPHONE_WORDS)
#define CHUNK_BITS 10u /* log2 of the bytes: addresses begin anew behind them */

#if CHUNK_BYTES != 1u << CHUNK_BITS
#error "a chunk has another number of bytes"
#endif

static volatile uint32_t chunks[2][MICROPHONE_WORDS] __attribute__((aligned(CHUNK_BYTES)));
static uint channels[2];
static PIO pio;
static uint machine;
static volatile uint32_t gaps;

/* Returns whether the program had to wait since the last call, for the DMA was too slow. */
static bool has_stalled(void) {
    const uint32_t flag = 1u << (PIO_FDEBUG_RXSTALL_LSB + machine);
    const bool stalled = (pio->fdebug & flag) != 0;
    pio->fdebug = flag;
    return stalled;
}

static void tell_gap(void) {
    gaps = gaps + 1u;
    microphone_input_gap();
    asc_listen_gap();
}

/* The chunk is whole if its channel has not begun it anew meanwhile, which the other channel does
 * when it is done. */
static void take(uint number) {
    static int16_t samples[MICROPHONE_SAMPLES];
    const size_t count = microphone_input_samples(chunks[number], samples);
    if (dma_channel_get_irq1_status(channels[1u - number]) || has_stalled()) {
        tell_gap();
    } else {
        asc_listen_samples(samples, count);
    }
}

/* Interrupt. With both chunks complete, one of them is being overwritten. */
static void take_chunk(void) {
    const bool first = dma_channel_get_irq1_status(channels[0]);
    const bool second = dma_channel_get_irq1_status(channels[1]);
    if (first) {
        dma_channel_acknowledge_irq1(channels[0]);
    }
    if (second) {
        dma_channel_acknowledge_irq1(channels[1]);
    }
    if (first && second) {
        tell_gap();
    } else if (first || second) {
        take(first ? 0u : 1u);
    }
    __sev();
}

static void configure(uint number) {
    const uint channel = channels[number];
    dma_channel_config config = dma_channel_get_default_config(channel);
    channel_config_set_transfer_data_size(&config, DMA_SIZE_32);
    channel_config_set_read_increment(&config, false);
    channel_config_set_write_increment(&config, true);
    channel_config_set_ring(&config, true, CHUNK_BITS);
    channel_config_set_dreq(&config, pio_get_dreq(pio, machine, false));
    channel_config_set_chain_to(&config, channels[1u - number]);
    dma_channel_configure(channel, &config, chunks[number], &pio->rxf[machine], MICROPHONE_WORDS,
                          false);
    dma_channel_set_irq1_enabled(channel, true);
}

static bool claim(void) {
    uint offset;
    if (!pio_claim_free_sm_and_add_program(microphone_input_program(), &pio, &machine, &offset)) {
        return false;
    }
    microphone_input_init(pio, machine, offset);
    for (uint i = 0; i < 2u; i++) {
        const int channel = dma_claim_unused_channel(false);
        if (channel < 0) {
            return false;
        }
        channels[i] = (uint)channel;
    }
    return true;
}

int microphone_start(void) {
    if (!claim()) {
        return PICO_ERROR_INSUFFICIENT_RESOURCES;
    }
    configure(0);
    configure(1);
    irq_set_exclusive_handler(DMA_IRQ_1, take_chunk);
    irq_set_enabled(DMA_IRQ_1, true);
    (void)has_stalled();
    dma_channel_start(channels[0]);
    pio_sm_set_enabled(pio, machine, true);
    return PICO_OK;
}

void microphone_wait(void) {
    __wfe();
}

uint32_t microphone_gaps(void) {
    return gaps;
}
