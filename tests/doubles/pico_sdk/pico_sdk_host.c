/* SPDX-License-Identifier: Apache-2.0
 *
 * What the doubles do on a computer. The two DMA channels fill their chunks in turn with what the
 * microphone's program gives for in.pcm: samples in the upper half of 32 bits with noise below for
 * one of I2S, the words themselves for one of PDM. The interrupt of the chunk that LATE_CHUNK names
 * comes when the next one is complete, too; at the chunk that STALLED_CHUNK names the program has
 * had to wait.
 */
#include "pico_sdk.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "played.h"

#define CLOCK_HZ 125000000u
#define FIRST_CHANNEL 3u
#define MACHINE 1u
#define MOST_WORDS 1024

typedef struct {
    dma_channel_config config;
    volatile uint32_t *to;
    uint32_t count;
    bool is_done, has_interrupt;
} channel_t;

static pio_hw_t block;
static const pio_program_t *loaded;
static pio_sm_config machine;
static channel_t channels[2];
static uint claimed;
static irq_handler_t handler;

/* A wrong use of the SDK ends the program. */
static void demand(bool is_right, const char *what) {
    if (!is_right) {
        printf("wrong: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void out_chars(const char *buf, int len) {
    console_send((const uint8_t *)buf, (size_t)len);
}

static int in_chars(char *buf, int len) {
    const size_t count = console_read((uint8_t *)buf, (size_t)len);
    return count > 0 ? (int)count : -1;
}

stdio_driver_t stdio_usb = {out_chars, in_chars};

bool stdio_usb_init(void) {
    console_open();
    return true;
}

/* OPENED_LATE: nobody opens the port before it is asked for the second time. */
bool stdio_usb_connected(void) {
    static int asked;
    return getenv("OPENED_LATE") == NULL || asked++ > 0;
}

void sleep_ms(uint32_t ms) {
    exit(ms >= 1000u ? EXIT_SUCCESS : EXIT_FAILURE);
}

uint32_t time_us_32(void) {
    return (uint32_t)clock();
}

uint32_t clock_get_hz(enum clock_num_rp2040 clock) {
    return clock == clk_sys ? CLOCK_HZ : 0;
}

static sem_t from_core1;
static sem_t to_core1;
static uint32_t words[2];
static pthread_t core1;
static void (*entry_of_core1)(void);

static void *run_core1(void *nothing) {
    entry_of_core1();
    return nothing;
}

void multicore_launch_core1_with_stack(void (*entry)(void), uint32_t *stack_bottom,
                                       size_t stack_size_bytes) {
    demand(stack_bottom != NULL && stack_size_bytes % 8u == 0, "stack");
    sem_init(&from_core1, 0, 0);
    sem_init(&to_core1, 0, 0);
    entry_of_core1 = entry;
    demand(pthread_create(&core1, NULL, run_core1, NULL) == 0, "no thread");
}

void multicore_fifo_push_blocking(uint32_t data) {
    const int is_core1 = pthread_equal(pthread_self(), core1) != 0;
    words[is_core1] = data;
    sem_post(is_core1 ? &from_core1 : &to_core1);
}

uint32_t multicore_fifo_pop_blocking(void) {
    const int is_core1 = pthread_equal(pthread_self(), core1) != 0;
    sem_wait(is_core1 ? &to_core1 : &from_core1);
    return words[!is_core1];
}

void __sev(void) {
    played_give();
}

void __wfe(void) {
    played_wait();
}

void __wfi(void) {
    pause();
}

bool pio_claim_free_sm_and_add_program(const pio_program_t *program, PIO *pio, uint *sm,
                                       uint *offset) {
    loaded = program;
    *pio = &block;
    *sm = MACHINE;
    *offset = 7;
    return getenv("NO_MACHINE") == NULL;
}

pio_sm_config pio_double_config(uint offset) {
    demand(offset == 7, "offset");
    return (pio_sm_config){0};
}

void sm_config_set_sideset_pins(pio_sm_config *c, uint sideset_base) {
    c->side = sideset_base;
}

void sm_config_set_in_pins(pio_sm_config *c, uint in_base) {
    c->in = in_base;
}

void sm_config_set_in_shift(pio_sm_config *c, bool shift_right, bool autopush, uint threshold) {
    c->shift_right = shift_right;
    c->autopush = autopush;
    c->threshold = threshold;
}

void sm_config_set_fifo_join(pio_sm_config *c, enum pio_fifo_join join) {
    c->joined = join == PIO_FIFO_JOIN_RX;
}

void sm_config_set_clkdiv(pio_sm_config *c, float div) {
    c->divider = div;
}

void pio_gpio_init(PIO pio, uint pin) {
    demand(pio == &block && pin < 30, "pin");
}

void gpio_pull_down(uint pin) {
    demand(pin < 30, "pin");
}

int pio_sm_set_consecutive_pindirs(PIO pio, uint sm, uint pin, uint count, bool is_out) {
    demand(pio == &block && sm == MACHINE && pin + count <= 30, "directions");
    printf("pins %u to %u %s\n", pin, pin + count - 1u, is_out ? "out" : "in");
    return 0;
}

int pio_sm_init(PIO pio, uint sm, uint offset, const pio_sm_config *config) {
    demand(pio == &block && sm == MACHINE && offset == 7, "machine");
    demand(config->autopush && config->threshold == 32 && config->joined, "words");
    demand(config->shift_right == (strcmp(loaded->name, "pdm") == 0), "order of bits");
    machine = *config;
    printf("microphone %s, %.0f cycles per second\n", loaded->name,
           (double)CLOCK_HZ / (double)config->divider);
    return 0;
}

uint pio_get_dreq(PIO pio, uint sm, bool is_tx) {
    demand(pio == &block && !is_tx, "request");
    return 4u + sm;
}

void pio_sm_set_enabled(PIO pio, uint sm, bool enabled) {
    demand(pio == &block && sm == MACHINE && enabled, "machine");
}

static channel_t *channel_of(uint channel) {
    demand(channel >= FIRST_CHANNEL && channel < FIRST_CHANNEL + claimed, "channel");
    return &channels[channel - FIRST_CHANNEL];
}

int dma_claim_unused_channel(bool required) {
    demand(!required && claimed < 2, "claims");
    return (int)(FIRST_CHANNEL + claimed++);
}

dma_channel_config dma_channel_get_default_config(uint channel) {
    return (dma_channel_config){.chain_to = channel, .increments_read = true};
}

void channel_config_set_transfer_data_size(dma_channel_config *c,
                                           enum dma_channel_transfer_size size) {
    demand(c != NULL && size == DMA_SIZE_32, "size");
}

void channel_config_set_read_increment(dma_channel_config *c, bool incr) {
    c->increments_read = incr;
}

void channel_config_set_write_increment(dma_channel_config *c, bool incr) {
    c->increments_write = incr;
}

void channel_config_set_ring(dma_channel_config *c, bool write, uint size_bits) {
    c->wraps_write = write;
    c->ring_bits = size_bits;
}

void channel_config_set_dreq(dma_channel_config *c, uint dreq) {
    c->dreq = dreq;
}

void channel_config_set_chain_to(dma_channel_config *c, uint chain_to) {
    c->chain_to = chain_to;
}

void dma_channel_configure(uint channel, const dma_channel_config *config,
                           volatile void *write_addr, const volatile void *read_addr,
                           uint32_t encoded_transfer_count, bool trigger) {
    channel_t *to = channel_of(channel);
    const uintptr_t bytes = 4u * (uintptr_t)encoded_transfer_count;
    demand(!config->increments_read && config->increments_write && !trigger, "configuration");
    demand(read_addr == &block.rxf[MACHINE] && config->dreq == 4u + MACHINE, "source");
    /* Nothing sets the address anew: it must wrap by itself, at an aligned chunk's end. */
    demand(config->wraps_write && (uintptr_t)1 << config->ring_bits == bytes, "ring");
    demand((uintptr_t)write_addr % bytes == 0 && encoded_transfer_count <= MOST_WORDS, "chunk");
    to->config = *config;
    to->to = write_addr;
    to->count = encoded_transfer_count;
}

void dma_channel_set_irq1_enabled(uint channel, bool enabled) {
    channel_of(channel)->has_interrupt = enabled;
}

bool dma_channel_get_irq1_status(uint channel) {
    return channel_of(channel)->is_done;
}

void dma_channel_acknowledge_irq1(uint channel) {
    channel_of(channel)->is_done = false;
}

void irq_set_exclusive_handler(uint num, irq_handler_t new_handler) {
    demand(num == DMA_IRQ_1, "interrupt");
    handler = new_handler;
}

void irq_set_enabled(uint num, bool enabled) {
    demand(num == DMA_IRQ_1 && enabled && handler != NULL, "interrupt");
}

static void fill(channel_t *channel) {
    static int16_t pcm[2 * MOST_WORDS];
    if (machine.shift_right) {
        played_read(pcm, 2 * channel->count);
    } else {
        played_read(pcm, channel->count);
    }
    for (uint32_t i = 0; i < channel->count; i++) {
        const uint32_t word = (uint16_t)pcm[2 * i] | (uint32_t)(uint16_t)pcm[2 * i + 1] << 16;
        const uint32_t slot = (uint32_t)(uint16_t)pcm[i] << 16 | (i * 40503u & 0xFFFFu);
        channel->to[i] = machine.shift_right ? word : slot;
    }
    channel->is_done = true;
}

static long number_of(const char *name) {
    const char *value = getenv(name);
    return value == NULL ? -1 : atol(value);
}

static void run(void) {
    const long late = number_of("LATE_CHUNK"), stalled = number_of("STALLED_CHUNK");
    uint channel = FIRST_CHANNEL;
    for (long chunk = 0;; chunk++) {
        /* A flag is cleared by writing a one: what the interrupt has read is gone. */
        block.fdebug = 0;
        fill(channel_of(channel));
        block.fdebug |= chunk == stalled ? 1u << (PIO_FDEBUG_RXSTALL_LSB + MACHINE) : 0u;
        if (chunk != late) {
            handler();
        } else {
            played_give();
        }
        channel = channel_of(channel)->config.chain_to;
    }
}

void dma_channel_start(uint channel) {
    demand(channel == FIRST_CHANNEL && channels[0].has_interrupt && channels[1].has_interrupt,
           "start");
    demand(channels[0].config.chain_to == channel + 1u && channels[1].config.chain_to == channel,
           "chain");
    demand(played_open() == 0, "no in.pcm");
    played_start(run);
}
