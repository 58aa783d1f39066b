/* SPDX-License-Identifier: Apache-2.0
 *
 * A microphone behind Zephyr's DMIC interface. A thread above the application's takes the driver's
 * buffers at once: the network may run for as long as the application's own buffer lasts.
 */
#include <errno.h>
#include <zephyr/audio/dmic.h>
#include <zephyr/device.h>
#include <zephyr/kernel.h>

#include "asc_listen.h"
#include "microphone.h"

#define CHUNK 256u /* samples */
#define CHUNK_BYTES (CHUNK * sizeof(int16_t))
#define CHUNKS 4
#define TIMEOUT_MS 1000
#define STACK_BYTES 1024
#define PRIORITY (CONFIG_MAIN_THREAD_PRIORITY - 1)

K_MEM_SLAB_DEFINE_STATIC(chunks, CHUNK_BYTES, CHUNKS, 4);
static K_SEM_DEFINE(more, 0, 1);
static K_THREAD_STACK_DEFINE(stack, STACK_BYTES);
static struct k_thread reader;

static const struct device *const dmic = DEVICE_DT_GET(DT_NODELABEL(dmic_dev));
static volatile uint32_t restarts;

static int configure(void) {
    struct pcm_stream_cfg stream = {
        .pcm_rate = MICROPHONE_RATE,
        .pcm_width = 16,
        .block_size = CHUNK_BYTES,
        .mem_slab = &chunks,
    };
    struct dmic_cfg config = {
        .io =
            {
                .min_pdm_clk_freq = MICROPHONE_LOWEST_CLOCK,
                .max_pdm_clk_freq = MICROPHONE_HIGHEST_CLOCK,
                .min_pdm_clk_dc = 40,
                .max_pdm_clk_dc = 60,
            },
        .streams = &stream,
        .channel =
            {
                .req_num_streams = 1,
                .req_num_chan = 1,
                .req_chan_map_lo = dmic_build_channel_map(0, 0, PDM_CHAN_LEFT),
            },
    };
    return dmic_configure(dmic, &config);
}

/* Drivers stop when they find no free buffer. */
static void restart(void) {
    restarts = restarts + 1u;
    (void)dmic_trigger(dmic, DMIC_TRIGGER_STOP);
    (void)dmic_trigger(dmic, DMIC_TRIGGER_START);
}

static void read_samples(void *first, void *second, void *third) {
    ARG_UNUSED(first);
    ARG_UNUSED(second);
    ARG_UNUSED(third);
    for (;;) {
        void *chunk;
        size_t size;
        if (dmic_read(dmic, 0, &chunk, &size, TIMEOUT_MS) == 0) {
            asc_listen_samples(chunk, size / sizeof(int16_t));
            k_mem_slab_free(&chunks, chunk);
            k_sem_give(&more);
        } else {
            restart();
        }
    }
}

int microphone_start(void) {
    int status = device_is_ready(dmic) ? configure() : -ENODEV;
    if (status == 0) {
        status = dmic_trigger(dmic, DMIC_TRIGGER_START);
    }
    if (status == 0) {
        k_thread_create(&reader, stack, K_THREAD_STACK_SIZEOF(stack), read_samples, NULL, NULL,
                        NULL, PRIORITY, 0, K_NO_WAIT);
    }
    return status;
}

void microphone_wait(void) {
    k_sem_take(&more, K_FOREVER);
}

uint32_t microphone_restarts(void) {
    return restarts;
}
