/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of the Pico SDK, release 2: what the generated application calls of it. Not the SDK's.
 */
#ifndef PICO_SDK_H
#define PICO_SDK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned int uint;

enum pico_error_codes { PICO_OK = 0, PICO_ERROR_INSUFFICIENT_RESOURCES = -9 };

/* stdio and time */
typedef struct {
    void (*out_chars)(const char *buf, int len);
    int (*in_chars)(char *buf, int len);
} stdio_driver_t;

extern stdio_driver_t stdio_usb;
bool stdio_usb_init(void);
bool stdio_usb_connected(void);
void sleep_ms(uint32_t ms);
uint32_t time_us_32(void);

enum clock_num_rp2040 { clk_sys = 5 };
uint32_t clock_get_hz(enum clock_num_rp2040 clock);

/* cores */
void multicore_launch_core1_with_stack(void (*entry)(void), uint32_t *stack_bottom,
                                       size_t stack_size_bytes);
void multicore_fifo_push_blocking(uint32_t data);
uint32_t multicore_fifo_pop_blocking(void);
void __sev(void);
void __wfe(void);
void __wfi(void);

/* PIO */
typedef struct {
    volatile uint32_t fdebug;
    volatile uint32_t rxf[4];
} pio_hw_t;
typedef pio_hw_t *PIO;

typedef struct {
    const char *name;
} pio_program_t;

typedef struct {
    float divider;
    uint side, in, threshold;
    bool shift_right, autopush, joined;
} pio_sm_config;

enum pio_fifo_join { PIO_FIFO_JOIN_RX = 2 };
#define PIO_FDEBUG_RXSTALL_LSB 0u

bool pio_claim_free_sm_and_add_program(const pio_program_t *program, PIO *pio, uint *sm,
                                       uint *offset);
pio_sm_config pio_double_config(uint offset);
void sm_config_set_sideset_pins(pio_sm_config *c, uint sideset_base);
void sm_config_set_in_pins(pio_sm_config *c, uint in_base);
void sm_config_set_in_shift(pio_sm_config *c, bool shift_right, bool autopush, uint threshold);
void sm_config_set_fifo_join(pio_sm_config *c, enum pio_fifo_join join);
void sm_config_set_clkdiv(pio_sm_config *c, float div);
void pio_gpio_init(PIO pio, uint pin);
void gpio_pull_down(uint pin);
int pio_sm_set_consecutive_pindirs(PIO pio, uint sm, uint pin, uint count, bool is_out);
int pio_sm_init(PIO pio, uint sm, uint offset, const pio_sm_config *config);
uint pio_get_dreq(PIO pio, uint sm, bool is_tx);
void pio_sm_set_enabled(PIO pio, uint sm, bool enabled);

/* DMA and interrupts */
typedef struct {
    uint chain_to, ring_bits, dreq;
    bool increments_read, increments_write, wraps_write;
} dma_channel_config;

enum dma_channel_transfer_size { DMA_SIZE_32 = 2 };
enum { DMA_IRQ_1 = 12 };
typedef void (*irq_handler_t)(void);

int dma_claim_unused_channel(bool required);
dma_channel_config dma_channel_get_default_config(uint channel);
void channel_config_set_transfer_data_size(dma_channel_config *c,
                                           enum dma_channel_transfer_size size);
void channel_config_set_read_increment(dma_channel_config *c, bool incr);
void channel_config_set_write_increment(dma_channel_config *c, bool incr);
void channel_config_set_ring(dma_channel_config *c, bool write, uint size_bits);
void channel_config_set_dreq(dma_channel_config *c, uint dreq);
void channel_config_set_chain_to(dma_channel_config *c, uint chain_to);
void dma_channel_configure(uint channel, const dma_channel_config *config,
                           volatile void *write_addr, const volatile void *read_addr,
                           uint32_t encoded_transfer_count, bool trigger);
void dma_channel_set_irq1_enabled(uint channel, bool enabled);
bool dma_channel_get_irq1_status(uint channel);
void dma_channel_acknowledge_irq1(uint channel);
void dma_channel_start(uint channel);
void irq_set_exclusive_handler(uint num, irq_handler_t handler);
void irq_set_enabled(uint num, bool enabled);

#endif
